//! Who a mail is from: a mail system, an address that nobody reads, or anybody.
//!
//! Looks at addresses and display names only. Invariant: none of these answers makes a class by itself.

use super::mime::{Fields, Mail};

/// Local parts, or their beginnings, of mail systems.
const DAEMONS: [&str; 28] = [
    "mailer-daemon",
    "mailer_daemon",
    "mailerdaemon",
    "mail-daemon",
    "maildaemon",
    "mdaemon",
    "postmaster",
    "post_master",
    "post-master",
    "microsoftexchange",
    "mail.delivery.system",
    "mail-delivery",
    "maildelivery",
    "mail_delivery",
    "e500_smtp",
    "symantec_antivirus",
    "imss@",
    "ims-daemon",
    "imail-daemon",
    "bounce-daemon",
    "mail-router",
    "mailrouter",
    "smtp-daemon",
    "mailmarshal",
    "internet-mail",
    "system-administrator",
    "delivery-daemon",
    "esmtp-daemon",
];
/// Display names, or parts of them, of mail systems.
const NAMES: [&str; 31] = [
    "mailer-daemon",
    "mailer daemon",
    "postmaster",
    "mail delivery",
    "e-mail delivery",
    "email delivery",
    "message delivery",
    "delivery subsystem",
    "delivery system",
    "delivery service",
    "delivery notification",
    "mail administrator",
    "system administrator",
    "systemadministrator",
    "administrateur système",
    "administrador del sistema",
    "amministratore di sistema",
    "systeembeheerder",
    "administrador do sistema",
    "systemadministratör",
    "системный администратор",
    "システム管理者",
    "系统管理员",
    "mail router",
    "mail system",
    "mailserver",
    "mail server",
    "virus scanner",
    "mail gateway",
    "jetmail system",
    "mailmarshal",
];
/// Beginnings of local parts that no person writes from.
const NOBODY: [&str; 24] = [
    "noreply",
    "no-reply",
    "no_reply",
    "no.reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "do.not.reply",
    "dontreply",
    "keine-antwort",
    "keineantwort",
    "nicht-antworten",
    "nepasrepondre",
    "ne-pas-repondre",
    "ne_pas_repondre",
    "noresponder",
    "no-responder",
    "naoresponda",
    "nao-responda",
    "non-rispondere",
    "nonrispondere",
    "notification",
    "autoreply",
    "autoresponder",
];
/// Ends of local parts that list programs write from.
const LISTS: [&str; 7] = ["-request", "-bounces", "-owner", "-confirm", "-admin", "-unsubscribe", "-subscribe"];

/// Whether the author is a mail system, by address or name.
pub(super) fn is_daemon(mail: &Mail) -> bool {
    let stated = mail.fields.get("from").unwrap_or_default().to_lowercase();
    let named = mail.from_name.as_deref().unwrap_or_default().to_lowercase();
    let address = mail.from.as_deref().map_or_else(|| stated.clone(), str::to_lowercase);
    DAEMONS
        .iter()
        .any(|name| address.trim_start_matches(['<', '"']).starts_with(name) || stated.contains(&format!("<{name}")))
        || NAMES.iter().any(|name| named.contains(name) || stated.split('<').next().unwrap_or_default().contains(name))
}

/// Whether the author can be nothing but a mail system; `postmaster` and an administrator may be a person.
pub(super) fn is_sure_daemon(mail: &Mail) -> bool {
    const ROLES: [&str; 16] = [
        "postmaster",
        "post_master",
        "post-master",
        "administrat",
        "amministratore",
        "beheerder",
        "администратор",
        "管理者",
        "管理员",
        "mailserver",
        "mail server",
        "mail system",
        "mail gateway",
        "mail router",
        "internet-mail",
        "delivery service",
    ];
    let stated = mail.fields.get("from").unwrap_or_default().to_lowercase();
    let named = mail.from_name.as_deref().unwrap_or_default().to_lowercase();
    is_daemon(mail) && !ROLES.iter().any(|role| stated.contains(role) || named.contains(role))
}

/// Whether the address is a mail system's and never a person's, whatever name stands beside it.
pub(super) fn is_daemon_address(mail: &Mail) -> bool {
    let local = local_part(mail.from.as_deref().unwrap_or_default());
    is_sure_daemon(mail) && DAEMONS.iter().any(|name| local.starts_with(name))
}

/// Whether an address belongs to a machine of the other side, so that no report speaks of it.
pub(super) fn is_service(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let local = local_part(&address);
    DAEMONS.iter().any(|name| local.starts_with(name)) || is_nobody(&address) || is_list(&address)
}

/// Whether nobody reads mail to an address.
pub(super) fn is_nobody(address: &str) -> bool {
    let local = local_part(address);
    NOBODY.iter().any(|name| local.starts_with(name)) || local.ends_with("-noreply") || local.ends_with(".noreply")
}

/// Whether an address is a list program's.
pub(super) fn is_list(address: &str) -> bool {
    let local = local_part(address);
    local.starts_with("owner-") || LISTS.iter().any(|end| local.ends_with(end) && local.len() > end.len())
}

/// Whether only a list program writes from an address; `-owner` and `-admin` may be a person.
pub(super) fn is_list_program(address: &str) -> bool {
    let local = local_part(address);
    is_list(address) && !local.ends_with("-owner") && !local.ends_with("-admin")
}

/// Whether the envelope names no sender: what mail systems do, and vacation programs.
pub(super) fn is_null(fields: &Fields, envelope_from: Option<&str>) -> bool {
    let stated = envelope_from.or_else(|| fields.get("return-path"));
    stated.is_some_and(|sender| {
        let sender = sender.trim().trim_matches(['<', '>', ' ']).to_ascii_lowercase();
        sender.is_empty() || local_part(&sender).starts_with("mailer-daemon")
    })
}

/// What stands before the last `@`, lower case.
pub(super) fn local_part(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(local, _)| local).to_ascii_lowercase()
}
