//! Addresses and hosts in one token, by rules that rather miss a host than make one of a file name.
//!
//! Keeps no password: what stands before the `@` of a URL is never taken for an address. Invariant: each character of
//! a token is looked at a bounded number of times.

use model::domain::DomainName;
use model::email::EmailAddress;

use super::found::Found;
use super::hosts;

/// Stands for text that was dropped: a word beside it is not whole.
pub(crate) const CUT: char = '\u{1}';
/// Longest part before the `@`, in octets. Source: RFC 5321 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// Longest host, in octets. Source: RFC 1035 2.3.4.
const LONGEST_HOST: usize = 253;
/// Schemes whose host belongs to somebody. Behind others (`s3://`, `jdbc:…://`) may stand names of buckets and files.
const SCHEMES: [&str; 9] = ["http", "https", "ftp", "ftps", "sftp", "ssh", "ws", "wss", "ldaps"];

/// Whether hosts count that stand alone, without `https://` or `www.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bare {
    Count,
    /// As in source code, where `a.name` is no host.
    Ignore,
}

/// Letters of scripts with spaces between words.
pub(crate) fn is_spaced(c: char) -> bool {
    // Thai to Myanmar, Khmer, and from the radicals of CJK on: kana, Hangul, ideographs, full width.
    !matches!(c, '\u{0e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..)
}

/// What a word with an address consists of.
pub(crate) fn is_word(c: char) -> bool {
    matches!(c, '@' | '.' | '-' | '_' | '+' | '\'' | '#') || is_host(c)
}

fn is_host(c: char) -> bool {
    matches!(c, '.' | '-') || c.is_alphanumeric()
}

/// Finds what a token mentions. `before` and `after` are the characters around it.
pub(crate) fn find(token: &str, before: char, after: char, bare: Bare, found: &mut Found) {
    let token = if before == '\\' { without_escape(token) } else { token };
    let mut rest = token;
    let mut before = before;
    while let Some((head, tail)) = rest.split_once("://") {
        let scheme = head.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
        // The cut is behind an ASCII character only where there is one; otherwise behind one of several bytes.
        let (text, scheme) = head.split_at(head.ceil_char_boundary(scheme));
        words(text, before, ':', bare, found);
        let end = tail.find(['/', '?', '#']).unwrap_or(tail.len());
        let (authority, path) = tail.split_at(end);
        let after_authority = path.chars().next().unwrap_or(after);
        url_host(authority, scheme, after_authority, found);
        before = authority.chars().next_back().unwrap_or('/');
        rest = path;
    }
    words(rest, before, after, bare, found);
}

/// The host of a URL, without what stands before its `@` and without its port.
fn url_host(authority: &str, scheme: &str, after: char, found: &mut Found) {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(|c: char| !is_host(c)).next().unwrap_or_default();
    if after == CUT || host.len() > LONGEST_HOST {
        return;
    }
    let known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let host = DomainName::parse(host.trim_end_matches('-')).ok();
    let counts = |host: &DomainName| if known { hosts::is_public(host) } else { hosts::stands_alone(host) };
    if let Some(host) = host.filter(counts) {
        found.host(host);
    }
}

/// The words of a text without URLs.
fn words(text: &str, before: char, after: char, bare: Bare, found: &mut Found) {
    let mut before = before;
    let mut rest = text;
    let mut is_behind_address = false;
    loop {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        let mut follow = tail.chars();
        let next = follow.next().unwrap_or(after);
        // Behind `mia@acme.com:` stands her password.
        let may_be_secret = before == ':' && is_behind_address;
        is_behind_address = word.contains('@');
        if before != CUT && next != CUT && !may_be_secret {
            if word.contains('@') {
                addresses(word, before, tail, bare, found);
            } else if word.contains('.') {
                host(word, before, next, bare, found);
            }
        }
        if tail.is_empty() {
            return;
        }
        before = next;
        rest = follow.as_str();
    }
}

/// Each `local@host` in a word with an `@`.
fn addresses(word: &str, before: char, tail: &str, bare: Bare, found: &mut Found) {
    let mut parts = word.split('@');
    let mut local = parts.next().unwrap_or_default();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = part.find(|c| !is_host(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let is_last = parts.peek().is_none();
        // `user:password@host:5432` and `…@host/db` are ways into a database.
        let is_login = before == ':' && is_last && rest.is_empty() && is_connection(tail);
        if local.is_empty() {
            // `@acme.com` alone means the host.
            host(name, ' ', rest.chars().next().unwrap_or(' '), bare, found);
        } else if !is_login && let Some(address) = address(local, name, rest, tail) {
            found.address(address);
        }
        local = part;
    }
}

fn is_connection(tail: &str) -> bool {
    let mut tail = tail.chars();
    match tail.next() {
        Some('/') => true,
        Some(':') => tail.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    }
}

fn address(local: &str, host: &str, rest: &str, tail: &str) -> Option<EmailAddress> {
    let host = host.trim_end_matches(['.', '-']);
    let local = guest(local).unwrap_or_else(|| local.rsplit('#').next().unwrap_or_default());
    let local = local.trim_start_matches(['\'', '.', '+', '-']);
    // `_mia@acme.com_` is emphasis.
    let local = if rest.starts_with('_') { local.trim_start_matches('_') } else { local };
    let is_local = !local.is_empty()
        && local.len() <= LONGEST_LOCAL
        && !local.ends_with(['.', '\''])
        && !local.contains("..")
        && local.contains(char::is_alphanumeric);
    // `git@host:team/repository` is a way to a repository.
    let is_git = local == "git" && tail.starts_with(':');
    if !is_local || is_git || host.len() > LONGEST_HOST {
        return None;
    }
    let address = EmailAddress::parse(&format!("{local}@{host}")).ok()?;
    hosts::can_have_mail(address.domain()).then_some(address)
}

/// `mia_acme.com#EXT#`, a guest's name in somebody else's tenant, is one whole.
fn guest(local: &str) -> Option<&str> {
    const MARK: &str = "#EXT#";
    let at = local.len().checked_sub(MARK.len())?;
    let name = local.get(..at)?;
    (local[at..].eq_ignore_ascii_case(MARK) && !name.is_empty() && !name.contains('#')).then_some(local)
}

/// A host that stands in the text.
fn host(word: &str, before: char, after: char, bare: Bare, found: &mut Found) {
    let word = word.trim_start_matches(['\'', '-']);
    let word = if before == '*' { word.trim_start_matches('.') } else { word };
    // `acme.com's`
    let word = word.split('\'').next().unwrap_or_default();
    let name = word.trim_end_matches(['.', '-']);
    if name.len() > LONGEST_HOST || !name.contains('.') || !name.chars().all(is_host) {
        return;
    }
    if name.get(..4).is_some_and(|www| www.eq_ignore_ascii_case("www.")) {
        if let Some(host) = DomainName::parse(name).ok().filter(hosts::is_public) {
            found.host(host);
        }
        return;
    }
    let around = matches!(before, '/' | '\\' | '$' | '#' | '&' | '~' | '%' | '!' | '^')
        || matches!(after, '(' | '[' | '\\' | '$' | '*' | '=' | '{' | '%' | '!' | '^' | '~');
    if bare == Bare::Ignore || around || !hosts::is_written_as_host(name) {
        return;
    }
    if let Some(host) = DomainName::parse(name).ok().filter(hosts::stands_alone) {
        found.host(host);
    }
}

/// Without the letter of an escape before it: in `\nmia@acme.com` and `\u003cmia@acme.com` the name is `mia`.
fn without_escape(token: &str) -> &str {
    let is_code = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    match token.as_bytes() {
        [b'u', ..] if token.get(1..5).is_some_and(is_code) => &token[5..],
        [b'n' | b'r' | b't' | b'b' | b'f', ..] => &token[1..],
        _ => token,
    }
}
