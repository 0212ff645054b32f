//! The files that came with a ticket's mails.
//!
//! Opens and shows none. Invariant: a file leaves under a name of ours, whatever its sender called it.

use mail::inbound::{Attachment, LARGEST_ATTACHMENT};
use serde::Serialize;

use super::case;
use crate::{App, AppError};

/// A file as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedAttachment {
    /// By which it is asked for, from 1.
    pub number: usize,
    /// The mail that it came with.
    pub mail: String,
    /// Our name for it.
    pub name: String,
    /// What its sender called it; a word, never a place to write to.
    pub stated_name: String,
    /// By its first bytes.
    pub kind: &'static str,
    /// How large it is; none: larger than is given out.
    pub bytes: Option<usize>,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// The files of a ticket in the order in which they came.
pub async fn attachments(app: &App, ticket: &str) -> Result<Vec<ListedAttachment>, AppError> {
    let files = files(app, ticket).await?;
    Ok(files.iter().enumerate().map(|(index, (mail, file))| listed(index + 1, mail, file)).collect())
}

/// One file by its number: what is listed of it, and its bytes. Who took it is in the audit log.
pub async fn attachment(app: &App, ticket: &str, number: usize) -> Result<(ListedAttachment, Vec<u8>), AppError> {
    let mut files = files(app, ticket).await?;
    if number == 0 || number > files.len() {
        return Err(AppError::missing(
            format!("ticket {ticket} has no attachment {number}"),
            format!("run `forthright ticket attachments {ticket}` to see what there is"),
        ));
    }
    let (mail, file) = files.swap_remove(number - 1);
    let listed = listed(number, &mail, &file);
    let Some(body) = file.body else {
        return Err(AppError::refused(
            format!("attachment {number} is larger than {LARGEST_ATTACHMENT} bytes"),
            format!("take it from the mail {mail} itself"),
        ));
    };
    let detail = serde_json::json!({ "mail": mail, "number": number, "sha256": listed.sha256 });
    let tx = app.store.begin().await?;
    tx.commit(app.entry("ticket.attachment", ticket, detail)).await?;
    Ok((listed, body))
}

/// Each with its mail. One mail at a time is in memory with all its bytes.
async fn files(app: &App, ticket: &str) -> Result<Vec<(String, Attachment)>, AppError> {
    let mut conn = app.store.read().await?;
    case::find(&mut conn, ticket).await?;
    let mut files = Vec::new();
    for id in store::inbound::of_ticket(&mut conn, ticket).await? {
        let Some(row) = store::inbound::by_id(&mut conn, &id).await? else { continue };
        let read = tokio::task::spawn_blocking(move || mail::inbound::attachments(&row.raw)).await;
        let read = read.map_err(|error| {
            AppError::bad(format!("the files of mail {id} cannot be read: {error}"), "its bytes are kept in the store")
        })?;
        files.extend(read.into_iter().map(|file| (id.clone(), file)));
    }
    Ok(files)
}

fn listed(number: usize, mail: &str, file: &Attachment) -> ListedAttachment {
    ListedAttachment {
        number,
        mail: mail.to_owned(),
        name: format!("{mail}-{number}.{}", file.extension),
        stated_name: file.stated_name.chars().filter(|c| !c.is_control()).take(200).collect(),
        kind: file.kind,
        bytes: file.body.as_ref().map(Vec::len),
        sha256: file.body.as_ref().map(|body| model::digest::sha256(body)).unwrap_or_default(),
    }
}
