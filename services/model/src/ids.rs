//! Names of things that are derived, not drawn: Message-IDs, notice codes, reply tokens.
//!
//! Does not draw random ids (those come through `app`'s `Ids`). Invariant: the same inputs give the same name, so a
//! resend carries the same Message-ID, and nobody without the incident's key can make one.

use crate::digest::{base32, keyed};

/// The Message-ID (without angle brackets) of one letter to one address: `<26 characters>@<domain>`.
///
/// Source: RFC 5322 3.6.4; the left side is 130 bits of HMAC-SHA-256 under the incident's key.
pub fn message_id(incident_key: &[u8], letter: &str, address: &str, domain: &str) -> String {
    let mac = keyed(incident_key, &[b"message-id", letter.as_bytes(), address.as_bytes()]);
    format!("{}@{domain}", &base32(&mac)[..26])
}

/// The token of a ticket in every Reply-To: 32 characters, 160 bits. Unguessable, and worth nothing by itself.
pub fn ticket_token(incident_key: &[u8], tenant_id: &str) -> String {
    base32(&keyed(incident_key, &[b"ticket-token", tenant_id.as_bytes()]))[..32].to_owned()
}

/// The code of a notice, typed by hand and read over the phone: `K7QF-2M9X-0WTR`.
pub fn notice_code(incident_key: &[u8], tenant_id: &str, version: i64) -> String {
    let mac = keyed(incident_key, &[b"notice-code", tenant_id.as_bytes(), &version.to_be_bytes()]);
    crate::code::NoticeCode::of(&mac).to_string()
}

/// How an exposed person's address or user id is held: 128 bits of HMAC-SHA-256 under the incident's key, hex.
pub fn identity(incident_key: &[u8], kind: &str, value: &str) -> String {
    crate::digest::hex(&keyed(incident_key, &[b"identity", kind.as_bytes(), value.as_bytes()])[..16])
}

/// The reply address of a ticket: `local+token@domain`, after RFC 5233's sub-addressing.
pub fn reply_address(base: &str, token: &str) -> String {
    match base.rsplit_once('@') {
        Some((local, domain)) => format!("{local}+{token}@{domain}"),
        None => base.to_owned(),
    }
}

/// The token in an address made by [`reply_address`], lower-cased; `None` where there is none of its length.
pub fn token_of(address: &str) -> Option<String> {
    let (local, _) = address.trim().trim_matches(['<', '>']).rsplit_once('@')?;
    let (_, token) = local.rsplit_once('+')?;
    let token = token.to_ascii_lowercase();
    (token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_the_reply_address_it_was_put_in() {
        let token = ticket_token(b"key", "t-1");
        let address = reply_address("ir@vendor.example", &token);
        assert_eq!(token_of(&address).as_deref(), Some(token.as_str()));
        assert_eq!(token_of(&address.to_uppercase()).as_deref(), Some(token.as_str()));
        assert_eq!(token_of("ir@vendor.example"), None);
        assert_eq!(token_of("ir+12@vendor.example"), None);
    }

    #[test]
    fn another_key_or_letter_gives_another_message_id() {
        let id = message_id(b"key", "ltr_1", "a@b.example", "vendor.example");
        assert_eq!(id, message_id(b"key", "ltr_1", "a@b.example", "vendor.example"));
        assert_ne!(id, message_id(b"yek", "ltr_1", "a@b.example", "vendor.example"));
        assert_ne!(id, message_id(b"key", "ltr_2", "a@b.example", "vendor.example"));
    }
}
