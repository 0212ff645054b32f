//! The words that made-up organisations, people and documents are put together from.
//!
//! Every domain ends in `.example`, which nobody can own.

/// Syllables of domains; each ends differently enough to be told apart.
pub(super) const SYLLABLES: [&str; 20] = [
    "ar", "bel", "cor", "dan", "el", "far", "gol", "hal", "is", "kal", "lum", "mer", "nor", "ost", "pra", "quin",
    "ren", "sol", "tar", "ver",
];

/// Labels beyond ASCII: lower-case, composed.
pub(super) const BEYOND_ASCII: [&str; 8] = ["münchen", "zürich", "köln", "łódź", "åre", "straße", "東京", "são"];

pub(super) const GIVEN: [&str; 22] = [
    "Anna", "Ben", "Carla", "Dmitri", "Eva", "Farid", "Grace", "Hugo", "Ines", "Jan", "Kofi", "Lena", "Mia", "Noah",
    "Olga", "Pedro", "Qiu", "Rosa", "Sam", "Tara", "Uma", "Viktor",
];

pub(super) const FAMILY: [&str; 20] = [
    "Abe", "Brown", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Haas", "Ito", "Jones", "Kim", "Lopez", "Mensah",
    "Novak", "Okafor", "Patel", "Rossi", "Silva", "Tan", "Weber",
];

/// Country and the language its organisations are written to.
pub(super) const COUNTRIES: [(&str, &str); 40] = [
    ("US", "en"),
    ("GB", "en"),
    ("DE", "de"),
    ("FR", "fr"),
    ("IT", "it"),
    ("ES", "es"),
    ("NL", "nl"),
    ("BE", "nl"),
    ("CH", "de"),
    ("AT", "de"),
    ("SE", "en"),
    ("NO", "en"),
    ("DK", "en"),
    ("FI", "en"),
    ("PL", "pl"),
    ("CZ", "en"),
    ("SK", "en"),
    ("HU", "en"),
    ("RO", "en"),
    ("BG", "en"),
    ("GR", "en"),
    ("PT", "pt"),
    ("IE", "en"),
    ("LU", "fr"),
    ("JP", "ja"),
    ("CN", "zh"),
    ("IN", "en"),
    ("BR", "pt"),
    ("MX", "es"),
    ("AR", "es"),
    ("CA", "en"),
    ("AU", "en"),
    ("NZ", "en"),
    ("ZA", "en"),
    ("KE", "en"),
    ("NG", "en"),
    ("EG", "en"),
    ("TR", "en"),
    ("KR", "en"),
    ("SG", "en"),
];

pub(super) const DATA_TYPES: [&str; 16] = [
    "poe_document",
    "sow_document",
    "invoice",
    "product_order",
    "product_offer",
    "project_details",
    "signed_customer_document",
    "poc_work",
    "customer_email",
    "price_list",
    "stock_list",
    "internal_comment",
    "sales_strategy",
    "customer_asset_document",
    "partner_ecosystem_detail",
    "contact_details",
];

pub(super) const EXTENSIONS: [&str; 8] = ["docx", "pdf", "xlsx", "pptx", "msg", "zip", "csv", "txt"];

pub(super) const FREEMAIL: [&str; 10] = [
    "gmail.example",
    "outlook.example",
    "hotmail.example",
    "yahoo.example",
    "icloud.example",
    "gmx.example",
    "webde.example",
    "qqmail.example",
    "proton.example",
    "yandex.example",
];
