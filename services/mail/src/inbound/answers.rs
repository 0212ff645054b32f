//! Whether a program may answer a mail. Not: whether a person wrote it.
//!
//! Invariant: in doubt no; a person still answers by hand.

use super::mime::Mail;
use super::senders::{is_daemon, is_list, is_nobody};

/// The rules of RFC 3834 2 and what is usual beside them.
pub(super) fn may(mail: &Mail, null_sender: bool) -> bool {
    let Some(from) = mail.from.as_deref() else { return false };
    let path = mail.fields.get("return-path").unwrap_or_default().trim().trim_matches(['<', '>']);
    let machine =
        null_sender || is_daemon(mail) || is_nobody(from) || is_list(from) || is_list(path) || is_nobody(path);
    let to_ourselves = mail.to.iter().any(|address| address.eq_ignore_ascii_case(from));
    !machine && !to_ourselves && !forbids(mail)
}

fn forbids(mail: &Mail) -> bool {
    let stated = |name: &str| mail.fields.get(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default();
    let submitted = stated("auto-submitted");
    let suppress = stated("x-auto-response-suppress");
    let bulk = ["precedence", "x-precedence"].iter().any(|name| {
        let value = stated(name);
        ["bulk", "junk", "list", "auto_reply", "auto-reply"].iter().any(|word| value.starts_with(word))
    });
    let list = [
        "list-id",
        "list-post",
        "list-unsubscribe",
        "list-help",
        "x-mailing-list",
        "x-list-administrivia",
        "feedback-id",
    ];
    bulk || !(submitted.is_empty() || submitted == "no" || submitted.starts_with("no;") || submitted.starts_with("no "))
        || ["all", "autoreply", "oof"].iter().any(|word| suppress.contains(word))
        || list.iter().any(|name| mail.fields.get(name).is_some())
        || mail.fields.get("x-loop").is_some()
}
