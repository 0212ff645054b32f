//! Webhooks as they leave: signed as Standard Webhooks has it, in the words of whoever receives them.
//!
//! Knows no database and keeps no clock. Invariant: the same event, preset and address give the same bytes; a secret is in
//! neither a stored body nor a text for people.

mod presets;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::time::Timestamp;
use model::webhooks::{Event, EventKind, Preset};
use ring::hmac;

use crate::http::Call;

/// Fewest and most bytes of a secret. Source: Standard Webhooks, "Symmetric".
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What signs.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// `whsec_` and 24 to 64 bytes in base64; `None`: it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        SECRET_BYTES.contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

/// What is known of a receiver at the moment of a call.
#[derive(Debug)]
pub struct Receiver<'a> {
    /// Its address; a part of it may be a secret.
    pub url: &'a str,
    /// Whose language it speaks.
    pub preset: Preset,
    /// The key of an on-call tool (PagerDuty's routing key, Opsgenie's API key); empty = none.
    pub key: &'a str,
    /// What signs, the newest first; with none the call is not signed.
    pub secrets: &'a [Secret],
}

/// A message that is to leave.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// The same for every try.
    pub id: &'a str,
    /// What happened.
    pub kind: EventKind,
    /// What an on-call tool knows the alert by.
    pub alert: &'a str,
    /// The body as it was frozen.
    pub body: &'a str,
    /// When this try begins, by the real clock.
    pub at: Timestamp,
}

/// The body of an event, without what is secret. `None`: this receiver has no words for it.
pub fn body(preset: Preset, event: &Event, alert: &str) -> Option<String> {
    presets::body(preset, event, alert)
}

/// The call that carries a message, or what is missing from the configuration.
pub fn call(receiver: &Receiver<'_>, message: &Outgoing<'_>) -> Result<Call, String> {
    let addressed = presets::addressed(receiver, message)?;
    let seconds = message.at.micros().div_euclid(1_000_000);
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", message.id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
    ];
    if !receiver.secrets.is_empty() {
        let body = addressed.body.as_bytes();
        let signatures: Vec<String> =
            receiver.secrets.iter().map(|secret| secret.sign(message.id, seconds, body)).collect();
        headers.push(("webhook-signature", signatures.join(" ")));
    }
    headers.extend(addressed.header);
    Ok(Call { url: addressed.url, body: Some(addressed.body.into_bytes()), headers })
}
