//! A stored mail, read.
//!
//! Writes nothing. Invariant: a fault of the parser is one mail's fault.

use std::collections::HashMap;
use std::sync::Arc;

use mail::inbound::{Class, Heard, SentLetter};
use store::inbound::Inbound;
use tokio::task::JoinSet;

use crate::{App, AppError};

/// A mail with what was read of it.
#[derive(Debug)]
pub(super) struct Understood {
    /// Without its bytes.
    pub(super) row: Inbound,
    pub(super) read: mail::inbound::Inbound,
    /// Over what its sender made of it.
    pub(super) content_digest: Option<String>,
    /// What a person says beside questions.
    pub(super) heard: Heard,
}

/// Letters of one thread that are compared.
const LETTERS: usize = 8;
/// Mails that are read at a time.
const AT_A_TIME: usize = 4;

/// Reads the bytes of these mails, each by itself, off the async threads: 25 MB take a while.
pub(super) async fn understand_all(
    app: &App,
    rows: Vec<Inbound>,
) -> Result<Vec<(String, Result<Understood, AppError>)>, AppError> {
    let mut bytes = HashMap::with_capacity(rows.len());
    let mut waiting = Vec::with_capacity(rows.len());
    for mut row in rows {
        let raw = Arc::new(std::mem::take(&mut row.raw));
        bytes.insert(row.id.clone(), Arc::clone(&raw));
        waiting.push((row, raw, None));
    }
    let mut all = parse_all(waiting).await;
    read_between(app, &mut all).await?;
    let ids: Vec<String> = all.iter().filter_map(|(_, one)| one.as_ref().ok()?.read.message_id.clone()).collect();
    let own = store::delivery::own_message_ids(&mut app.store.read().await?, &ids).await?;
    if own.is_empty() {
        return Ok(all);
    }
    // Our own letters come back: they are read again with that in mind.
    let mut again = Vec::new();
    for (id, one) in all.iter_mut() {
        let Ok(understood) = one else { continue };
        let named = understood.read.message_id.clone().filter(|named| own.contains(named));
        if let (Some(named), Some(raw)) = (named, bytes.get(id)) {
            again.push((std::mem::take(&mut understood.row), Arc::clone(raw), Some(named)));
        }
    }
    let mut read_again: HashMap<String, Result<Understood, AppError>> = parse_all(again).await.into_iter().collect();
    for (id, one) in &mut all {
        if let Some(other) = read_again.remove(id) {
            *one = other;
        }
    }
    Ok(all)
}

/// Who answers between the lines of a letter of ours that stands there without marks: the letter tells whose a line is. It
/// is found by its Message-ID, or is one of the conversation where a mail program names none.
async fn read_between(app: &App, all: &mut [(String, Result<Understood, AppError>)]) -> Result<(), AppError> {
    let answers = |read: &mail::inbound::Inbound| -> Vec<String> {
        let thread = read.in_reply_to.iter().chain(read.references.iter().rev());
        thread.take(LETTERS).cloned().collect()
    };
    let tokens = |read: &mail::inbound::Inbound| -> Vec<String> {
        read.to.iter().filter_map(|address| model::ids::token_of(address)).take(1).collect()
    };
    let repeating: Vec<&mail::inbound::Inbound> = all
        .iter()
        .filter_map(|(_, one)| one.as_ref().ok())
        .map(|one| &one.read)
        .filter(|read| read.repeats())
        .collect();
    if repeating.is_empty() {
        return Ok(());
    }
    let mut conn = app.store.read().await?;
    let ids: Vec<String> = repeating.iter().flat_map(|read| answers(read)).collect();
    let named = by_key(store::inbound::letters_named(&mut conn, &ids).await?);
    let nameless = repeating.iter().filter(|read| answers(read).iter().all(|id| !named.contains_key(id)));
    let nameless: Vec<String> = nameless.flat_map(|read| tokens(read)).collect();
    let of_conversations = by_key(store::inbound::letters_of_tokens(&mut conn, &nameless).await?);
    drop(conn);
    for (_, one) in all.iter_mut() {
        let Ok(one) = one else { continue };
        if !one.read.repeats() {
            continue;
        }
        let mut letters: Vec<&SentLetter> =
            answers(&one.read).iter().filter_map(|id| named.get(id)).flatten().collect();
        if letters.is_empty() {
            letters = tokens(&one.read).iter().filter_map(|token| of_conversations.get(token)).flatten().collect();
            letters.truncate(LETTERS);
        }
        one.read.read_between(&letters);
        one.heard = heard(&one.read);
    }
    Ok(())
}

fn by_key(found: Vec<store::inbound::Letter>) -> HashMap<String, Vec<SentLetter>> {
    let mut letters: HashMap<String, Vec<SentLetter>> = HashMap::new();
    for (key, text, html) in found {
        letters.entry(key).or_default().push(SentLetter { text, html });
    }
    letters
}

/// Reads one mail.
pub(super) async fn understand(app: &App, row: Inbound) -> Result<Understood, AppError> {
    let gone =
        || AppError::bad(format!("mail {} was read and is not there", row.id), "report this; its bytes are kept");
    let gone = gone();
    understand_all(app, vec![row]).await?.pop().map_or(Err(gone), |(_, one)| one)
}

type ToRead = (Inbound, Arc<Vec<u8>>, Option<String>);

/// A fault of the parser is one mail's.
async fn parse_all(mails: Vec<ToRead>) -> Vec<(String, Result<Understood, AppError>)> {
    let mut all = Vec::with_capacity(mails.len());
    let (mut mails, mut reading) = (mails.into_iter(), JoinSet::new());
    let mut begun: HashMap<tokio::task::Id, String> = HashMap::new();
    loop {
        while reading.len() < AT_A_TIME
            && let Some((row, raw, own)) = mails.next()
        {
            let id = row.id.clone();
            begun.insert(reading.spawn_blocking(move || parse(row, &raw, own.as_deref())).id(), id);
        }
        match reading.join_next_with_id().await {
            None => return all,
            Some(Ok((task, one))) => all.extend(begun.remove(&task).map(|id| (id, Ok(one)))),
            Some(Err(error)) => {
                let Some(id) = begun.remove(&error.id()) else { continue };
                let failed =
                    AppError::bad(format!("mail {id} cannot be read: {error}"), "read it by hand; its bytes are kept");
                all.push((id, Err(failed)));
            }
        }
    }
}

fn parse(row: Inbound, raw: &[u8], own: Option<&str>) -> Understood {
    let is_own = |id: &str| own == Some(id);
    let read = mail::inbound::read(raw, row.envelope_from.as_deref(), row.envelope_to.as_deref(), &is_own);
    let read = without_nul(read);
    let heard = heard(&read);
    Understood { row, read, content_digest: mail::inbound::content_digest(raw), heard }
}

fn heard(read: &mail::inbound::Inbound) -> Heard {
    match read.class {
        Class::Human => mail::inbound::heard(&read.new_text),
        Class::Unclear => Heard { objects: mail::inbound::says_objection(&read.new_text), ..Heard::default() },
        _ => Heard::default(),
    }
}

/// PostgreSQL keeps no NUL in a text; a hostile mail has some.
pub(super) fn without_nul(mut read: mail::inbound::Inbound) -> mail::inbound::Inbound {
    for ids in [&mut read.in_reply_to, &mut read.references, &mut read.returned_message_ids, &mut read.returned_senders]
    {
        ids.retain(|id| !id.contains('\0'));
    }
    read.message_id = read.message_id.as_deref().map(clean);
    read.from = read.from.as_deref().map(clean);
    read.subject = clean(&read.subject);
    read.new_text = clean(&read.new_text);
    read.repeated = clean(&read.repeated);
    for recipient in &mut read.recipients {
        recipient.diagnostic = clean(&recipient.diagnostic);
        recipient.address = clean(&recipient.address);
        recipient.status = clean(&recipient.status);
        recipient.action = clean(&recipient.action);
    }
    read
}

pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
