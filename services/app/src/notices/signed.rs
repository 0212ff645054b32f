//! Notices for machines: signed at approval, given as they were signed, with the keys to check them.
//!
//! Sends nothing: facts never leave as attachments. Invariants: what is given of an approved notice is what was signed when
//! it was approved, byte for byte; what was withdrawn is not given.

use std::collections::HashMap;

use model::machine::{About, Rehearsal, base64url, canonical, document};
use model::notices::NoticeContext;
use model::time::Timestamp;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use store::notices::Notice;
use store::signed::{SignedNotice, SigningKey, ToSign};
use store::{Conn, Tx};

use crate::{App, AppError};

/// Notices that are signed before any of them is written.
const AT_A_TIME: usize = 1_000;

/// A signed notice with its signature: `{"jws":…,"notice":…}`, and `followed_by` beside them where a later one was released
/// to the same organisation.
pub async fn export(app: &App, notice: &str) -> Result<Value, AppError> {
    let mut conn = app.store.snapshot().await?;
    if let Some(signed) = store::signed::signed(&mut conn, notice).await? {
        let fate = store::signed::fate(&mut conn, notice).await?;
        if fate.as_ref().is_some_and(|fate| fate.state == "withdrawn") {
            return Err(AppError::refused(
                format!("notice {notice} was withdrawn, so it is not given to anybody"),
                "run `forthright notice list SLUG --csv` to see which notice took its place",
            ));
        }
        let shown: Value = serde_json::from_str(&signed.payload).map_err(AppError::stored("signed_notices.payload"))?;
        let middle = base64url(signed.payload.as_bytes());
        let mut given = json!({ "notice": shown, "jws": signed.jws.replacen("..", &format!(".{middle}."), 1) });
        if let Some(later) = fate.and_then(|fate| fate.followed_by) {
            given["followed_by"] = later.into();
        }
        return Ok(given);
    }
    Err(match store::signed::about(&mut conn, notice).await? {
        None => AppError::missing(
            format!("no notice {notice}"),
            "run `forthright notice list SLUG --csv` to see which there are",
        ),
        Some(there) if there.approved_at.is_none() => AppError::refused(
            format!("notice {notice} was not approved, so nobody has signed for it"),
            "approve it first, or look at it with `forthright notice preview SLUG TENANT --format json`",
        ),
        Some(_) => AppError::missing(
            format!("notice {notice} was approved before notices were signed"),
            "the next notice to this organisation will be signed",
        ),
    })
}

/// What machines are told by a notice: as it was signed, or as it would be signed now.
pub(super) async fn preview(app: &App, conn: &mut Conn, notice: &str) -> Result<String, AppError> {
    if let Some(signed) = store::signed::signed(conn, notice).await? {
        return Ok(signed.payload);
    }
    let there = store::signed::about(conn, notice).await?;
    let there =
        there.ok_or_else(|| AppError::missing(format!("no notice {notice}"), "run `forthright notice list`"))?;
    payload(app, &there)
}

fn payload(app: &App, notice: &ToSign) -> Result<String, AppError> {
    let context: NoticeContext = serde_json::from_str(&notice.facts).map_err(AppError::stored("notices.facts"))?;
    Ok(canonical(&document(
        &context,
        &About {
            id: &notice.id,
            kind: &notice.kind,
            sender: &app.settings.sender.address,
            approved_at: notice.approved_at.map(Timestamp::from_micros),
            rehearsal: if app.rehearsal { Rehearsal::Yes } else { Rehearsal::No },
        },
    )))
}

/// Signs notices as they are approved, some at a time: all of them could fill the memory.
pub(super) async fn freeze(app: &App, tx: &mut Tx, notices: &[Notice], now: i64) -> Result<(), AppError> {
    let signer = Signer::of(app, tx, now).await?;
    for part in notices.chunks(AT_A_TIME) {
        let kinds: HashMap<&str, &str> = part.iter().map(|one| (one.id.as_str(), one.kind.as_str())).collect();
        let ids: Vec<String> = part.iter().map(|notice| notice.id.clone()).collect();
        let mut signed = Vec::with_capacity(part.len());
        for written in store::notices::written(tx, &ids).await? {
            let kind = kinds.get(written.id.as_str()).copied().unwrap_or_default().to_owned();
            let notice = ToSign { id: written.id, kind, facts: written.facts, approved_at: Some(now) };
            signed.push(signer.sign(payload(app, &notice)?, notice.id, now));
        }
        store::signed::insert(tx, &signed).await?;
    }
    Ok(())
}

/// The key that signs.
struct Signer {
    id: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The newest key; a new one where there is none.
    async fn of(app: &App, tx: &mut Tx, now: i64) -> Result<Self, AppError> {
        let key = match store::signed::keys(tx).await?.into_iter().next() {
            Some(key) => key,
            None => {
                let key = new_key(app, now)?;
                store::signed::insert_key(tx, &key).await?;
                key
            }
        };
        let pkcs8 = app.master.unwrap_signing_key(&key.wrapped_key)?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| broken())?;
        Ok(Self { id: key.id, pair })
    }

    fn sign(&self, payload: String, notice_id: String, now: i64) -> SignedNotice {
        let header = base64url(canonical(&json!({ "alg": "EdDSA", "kid": self.id })).as_bytes());
        let signature = self.pair.sign(format!("{header}.{}", base64url(payload.as_bytes())).as_bytes());
        let jws = format!("{header}..{}", base64url(signature.as_ref()));
        SignedNotice { notice_id, payload, jws, key_id: self.id.clone(), signed_at: now }
    }
}

fn new_key(app: &App, now: i64) -> Result<SigningKey, AppError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| broken())?;
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| broken())?;
    let public_key = base64url(pair.public_key().as_ref());
    let named = canonical(&json!({ "crv": "Ed25519", "kty": "OKP", "x": public_key }));
    let id = base64url(digest::digest(&digest::SHA256, named.as_bytes()).as_ref());
    Ok(SigningKey { id, public_key, wrapped_key: app.master.wrap_signing_key(pkcs8.as_ref())?, made_at: now })
}

fn broken() -> AppError {
    AppError::Key {
        what: "the key that signs notices cannot be made or read".to_owned(),
        hint: "this is a fault of the program: please report it".to_owned(),
    }
}

/// The public keys of all that was ever signed, as a JWK set (RFC 7517, RFC 8037).
pub async fn public_keys(app: &App) -> Result<Value, AppError> {
    let keys = store::signed::keys(&mut app.store.read().await?).await?;
    let keys = keys.into_iter().map(|key| {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": key.public_key, "kid": key.id, "use": "sig", "alg": "EdDSA" })
    });
    Ok(json!({ "keys": keys.collect::<Vec<_>>() }))
}
