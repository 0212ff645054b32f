//! Which names of hosts are taken seriously where they stand in a text.
//!
//! Does not find them. Invariant: a name that stands alone counts only below a suffix of the Public Suffix List,
//! and never where its ending is as well known for files or fields.

use model::domain::DomainName;
use model::suffixes::SuffixList;

/// Endings that are both a top-level domain and a kind of file.
const ALSO_FILES: &[&str] = &[
    "app", "bar", "bat", "bio", "cab", "cat", "cc", "cfd", "doc", "jpg", "kt", "map", "md", "mk", "ml", "mm", "mov",
    "ms", "pm", "ps", "pub", "py", "rs", "sc", "sh", "so", "sv", "swift", "tf", "vi", "zip",
];
/// Endings that are both a top-level domain and a field of programs and logs: `user.id`, `host.name`.
const ALSO_FIELDS: &[&str] = &[
    "box", "call", "case", "channel", "click", "country", "data", "date", "day", "do", "email", "events", "exchange",
    "fail", "game", "goto", "group", "help", "here", "host", "how", "id", "is", "link", "locker", "media", "menu",
    "name", "new", "now", "open", "page", "parts", "phone", "photo", "pin", "place", "plus", "post", "read", "report",
    "review", "room", "run", "save", "search", "select", "services", "show", "site", "star", "stream", "style",
    "support", "tab", "team", "total", "trade", "watch", "win", "works", "you", "zero", "zone",
];
/// Last labels that no list has and that addresses have all the same: in documents, and inside of firms.
const INSIDE: &[&str] = &["corp", "example", "home", "internal", "intra", "intranet", "lan", "local", "test"];
/// Names that lead nowhere outside. Source: RFC 6761, RFC 6762, RFC 9476, ICANN's `internal`.
const NOBODYS: &[&str] = &["arpa", "internal", "invalid", "lan", "local", "localdomain", "localhost"];
/// Hosts that stand in files because of the file's format, whoever wrote it.
const OF_FORMATS: &[&str] = &[
    "www.w3.org",
    "schemas.openxmlformats.org",
    "schemas.microsoft.com",
    "schemas.xmlsoap.org",
    "purl.org",
    "ns.adobe.com",
    "json-schema.org",
    "schema.org",
    "purl.oclc.org",
    "relaxng.org",
    "docs.oasis-open.org",
];

/// Whether a host behind `https://` or `www.` is worth a row.
pub(crate) fn is_public(host: &DomainName) -> bool {
    can_have_mail(host)
        && !NOBODYS.contains(&last_label(host))
        && !OF_FORMATS.contains(&host.as_str())
        && !SuffixList::builtin().is_public_suffix(host)
}

/// Whether it can be the host of an address: below a suffix that exists, or one that firms use inside.
pub(crate) fn can_have_mail(host: &DomainName) -> bool {
    SuffixList::builtin().knows(host) || INSIDE.contains(&last_label(host))
}

/// Whether a host counts without `https://` before it.
pub(crate) fn stands_alone(host: &DomainName) -> bool {
    let list = SuffixList::builtin();
    let Some(registrable) = list.registrable(host) else { return false };
    if !list.knows(host) || !is_public(host) {
        return false;
    }
    let label = registrable.split('.').next().unwrap_or_default();
    if label.len() < 2 {
        return false;
    }
    let suffix = list.public_suffix(host);
    // `163.com` is somebody, `12.am` a time; `acme.com.py` is no file.
    let is_number = label.bytes().all(|byte| byte.is_ascii_digit());
    let is_ambiguous = ALSO_FILES.iter().chain(ALSO_FIELDS).any(|ending| *ending == suffix);
    !is_ambiguous && (!is_number || matches!(suffix, "com" | "net" | "org" | "cn"))
}

/// Whether capital letters stand as in a name, not as in `server.It` or `fooBar.info`.
pub(crate) fn is_written_as_host(name: &str) -> bool {
    if !name.contains(char::is_lowercase) {
        return true;
    }
    let (front, last) = name.rsplit_once('.').unwrap_or(("", name));
    let starts_small = front.starts_with(char::is_lowercase);
    let is_code = last.contains(char::is_uppercase) || starts_small && front.contains(char::is_uppercase);
    !is_code
}

fn last_label(host: &DomainName) -> &str {
    host.as_str().rsplit('.').next().unwrap_or_default()
}
