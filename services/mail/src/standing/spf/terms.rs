//! The terms of an SPF record (RFC 7208 4.6, 12): receivers take a record as none in which one of them is wrong.
//!
//! Asks nobody. Invariant: what receivers call a permanent error is not called good, wherever in the record it stands.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a record is none, in words that follow "the SPF record of …".
pub(super) fn fault(record: &str) -> Option<String> {
    if let Some(odd) = record.chars().find(|char| !matches!(char, ' '..='~')) {
        return Some(format!("has the character {odd:?}, which it cannot"));
    }
    let mut modifiers: Vec<String> = Vec::new();
    for term in record.split(' ').skip(1).filter(|term| !term.is_empty()) {
        if let Err(why) = check(term, &mut modifiers) {
            return Some(format!("has `{term}`, {why}"));
        }
    }
    None
}

fn check(term: &str, modifiers: &mut Vec<String>) -> Result<(), &'static str> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if let Some((name, value)) = term.split_once('=')
        && is_name(name)
    {
        let name = name.to_ascii_lowercase();
        if matches!(name.as_str(), "redirect" | "exp") {
            if modifiers.contains(&name) {
                return Err("which may stand there once");
            }
            modifiers.push(name);
            return domain(value);
        }
        return macros(value);
    }
    let bare = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
    let (name, rest) = bare.split_at(bare.find([':', '/']).unwrap_or(bare.len()));
    let argument = rest.strip_prefix(':');
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Ok(()),
        "all" => Err("which takes nothing behind it"),
        "include" | "exists" => domain(argument.ok_or("which needs a domain")?),
        "ptr" if rest.is_empty() => Ok(()),
        "ptr" => domain(argument.ok_or("which takes no prefix")?),
        "a" | "mx" => host_and_prefixes(rest),
        "ip4" => net::<Ipv4Addr>(argument, 32),
        "ip6" => net::<Ipv6Addr>(argument, 128),
        _ => Err("which is no mechanism"),
    }
}

/// `:domain/24//64`, each of them or none.
fn host_and_prefixes(rest: &str) -> Result<(), &'static str> {
    let slash = rest.find('/').unwrap_or(rest.len());
    let (host, prefixes) = rest.split_at(slash);
    if let Some(host) = host.strip_prefix(':') {
        domain(host)?;
    }
    let (four, six) = prefixes.split_once("//").unwrap_or((prefixes, ""));
    if let Some(four) = four.strip_prefix('/') {
        prefix(four, 32)?;
    }
    if prefixes.contains("//") { prefix(six, 128) } else { Ok(()) }
}

fn net<A: std::str::FromStr>(argument: Option<&str>, longest: u8) -> Result<(), &'static str> {
    let argument = argument.ok_or("which needs an address")?;
    let (address, length) = argument.split_once('/').unwrap_or((argument, "0"));
    address.parse::<A>().map_err(|_| "which is no address")?;
    prefix(length, longest)
}

fn prefix(text: &str, longest: u8) -> Result<(), &'static str> {
    let is_number = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    match text.parse::<u8>() {
        Ok(length) if is_number && length <= longest => Ok(()),
        _ => Err("whose prefix is none"),
    }
}

/// A name below another, or macros that become one.
fn domain(text: &str) -> Result<(), &'static str> {
    macros(text)?;
    let is_name = text.trim_end_matches('.').rsplit_once('.').is_some_and(|(above, last)| {
        !above.is_empty() && !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if is_name || text.ends_with('}') { Ok(()) } else { Err("which names no domain") }
}

/// `%{d2r.-}`, `%%`, `%_`, `%-`.
fn macros(text: &str) -> Result<(), &'static str> {
    let mut left = text;
    while let Some((_, behind)) = left.split_once('%') {
        left = match behind.strip_prefix('{') {
            None => behind.strip_prefix(['%', '_', '-']).ok_or("with a `%` that begins no macro")?,
            Some(behind) => {
                let (inside, rest) = behind.split_once('}').ok_or("with a macro that has no end")?;
                let letter =
                    inside.bytes().next().is_some_and(|letter| b"slodiphcrtv".contains(&letter.to_ascii_lowercase()));
                let behind = inside.get(1..).unwrap_or_default().trim_start_matches(|char: char| char.is_ascii_digit());
                let behind = behind.strip_prefix(['r', 'R']).unwrap_or(behind);
                if !letter || !behind.bytes().all(|byte| b".-+,/_=".contains(&byte)) {
                    return Err("with a macro that nobody knows");
                }
                rest
            }
        };
    }
    Ok(())
}

/// The terms behind the version that count, in lower case: behind `all` nothing does, and beside it no `redirect`.
pub(super) fn that_count(record: &str) -> Vec<String> {
    let mut terms: Vec<String> = record.split_ascii_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
    if let Some(all) = terms.iter().position(|term| term.trim_start_matches(['+', '-', '~', '?']) == "all") {
        terms.truncate(all + 1);
        terms.retain(|term| !term.starts_with("redirect="));
    }
    terms
}
