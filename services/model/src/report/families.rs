//! What people call kinds of data in everyday words, in five languages, where letters call them more exactly.
//!
//! Knows no facts. Invariant: a word that is here stands for several kinds or for one under a shorter name; one that is
//! also said of things that are no data of anybody is not here.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::text::Sentence;

/// Kinds, and the words for any of them: phrases with `, ` between, then those of Japanese.
const FAMILIES: [(&[&str], &str, &[&str]); 15] = [
    (
        &["password_plain", "password_hash", "account_access_code"],
        "password, passwords, passwort, passwörter, passwörtern, kennwort, kennwörter, kennwörtern, mot de passe, \
         mots de passe, contraseña, contraseñas",
        &["パスワード"],
    ),
    (
        &["payment_card_number", "payment_card_cvv_pin"],
        "credit card, credit cards, credit card number, credit card numbers, credit card data, debit card, debit cards, \
         payment cards, card numbers, kreditkarte, kreditkarten, kreditkartennummer, kreditkartennummern, \
         kreditkartendaten, carte bancaire, cartes bancaires, carte de crédit, cartes de crédit, tarjeta de crédito, \
         tarjetas de crédito, tarjetas bancarias",
        &["クレジットカード", "カード番号"],
    ),
    (
        &["bank_account", "account_access_code"],
        "bank account, bank accounts, bank details, bankkonto, bankkonten, bankdaten, kontonummer, kontonummern, \
         compte bancaire, comptes bancaires, cuenta bancaria, cuentas bancarias, datos bancarios",
        &["銀行口座"],
    ),
    (
        &["contract_terms", "signed_customer_document"],
        "contract, contracts, vertrag, verträge, verträgen, contrat, contrats, contrato, contratos",
        &["契約書"],
    ),
    (&["product_order"], "purchase order, purchase orders, bestellungen, bons de commande, pedidos", &["注文書"]),
    (&["product_offer"], "quotation, quotations, angebote, angeboten, devis, ofertas", &["見積書"]),
    (&["salary"], "gehälter, gehältern, payroll, sueldo, sueldos, nómina, nóminas", &["給料"]),
    (
        &[
            "medical_record",
            "mental_health",
            "reproductive_health",
            "lab_result",
            "health_insurance_number",
            "disability",
            "vaccination",
        ],
        "medical record, medical records, medical data, health data, health records, patient data, patientendaten, \
         gesundheitsdaten, krankenakten, dossiers médicaux, données médicales, données de santé, historias clínicas, \
         historiales médicos, datos médicos, datos de salud",
        &["医療記録", "診療記録", "カルテ", "健康情報"],
    ),
    (
        &["passport_number", "identity_document_copy"],
        "passport, passports, reisepass, reisepässe, reisepässen, passeport, passeports, pasaporte, pasaportes",
        &["パスポート", "旅券"],
    ),
    (
        &["national_id_number"],
        "social security number, social security numbers, sozialversicherungsnummer, sozialversicherungsnummern, \
         numéro de sécurité sociale, numéros de sécurité sociale, número de la seguridad social, \
         números de la seguridad social",
        &["マイナンバー", "社会保障番号"],
    ),
    (&["phone_number"], "phone number, phone numbers, rufnummer, rufnummern, teléfonos", &[]),
    (&["source_code"], "quellcode, quellcodes, codes source", &[]),
    (
        &["sow_document"],
        "statement of work, statements of work, leistungsbeschreibungen, descriptifs des travaux",
        &["作業範囲記述書"],
    ),
    (&["poe_document"], "proof of execution, proofs of execution, leistungsnachweise", &["実施証明書"]),
    (
        &[
            "api_key",
            "ssh_tls_key",
            "password_plain",
            "password_hash",
            "session_token",
            "mfa_secret",
            "account_access_code",
            "remote_access",
        ],
        "credentials, login data, zugangsdaten, anmeldedaten, données d’accès, credenciales",
        &["認証情報"],
    ),
];

/// Words of a phrase, and the kinds that it stands for.
type Phrase = (Vec<&'static str>, &'static [&'static str]);

static PHRASES: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut phrases: HashMap<&str, Vec<Phrase>> = HashMap::new();
    for (ids, words, _) in FAMILIES {
        for phrase in words.split(", ") {
            let words: Vec<&str> = phrase.split([' ', '’']).collect();
            phrases.entry(words[0]).or_default().push((words, ids));
        }
    }
    phrases
});

/// The kinds that the words at a token stand for, and how many tokens they are; the longest.
pub(super) fn at(sentence: &Sentence<'_>, from: usize) -> Option<(&'static [&'static str], usize)> {
    let length = |words: &[&str]| {
        let mut at = from;
        for word in words {
            while matches!(sentence.mark(at), Some('’' | '\'')) {
                at += 1;
            }
            at = (sentence.word(at) == Some(word)).then_some(at + 1)?;
        }
        Some(at - from)
    };
    let phrases = PHRASES.get(sentence.word(from)?)?;
    phrases.iter().filter_map(|(words, ids)| Some((*ids, length(words)?))).max_by_key(|(_, length)| *length)
}

/// The same in a run of Japanese: first byte, length, kinds.
pub(super) fn in_run(run: &str) -> Vec<(usize, usize, &'static [&'static str])> {
    let words = FAMILIES.into_iter().flat_map(|(ids, _, words)| words.iter().map(move |word| (ids, *word)));
    words.filter_map(|(ids, word)| Some((run.find(word)?, word.len(), ids))).collect()
}
