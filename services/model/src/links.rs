//! What mail programs make links of, and whether it leads to the sender's own hosts.
//!
//! Fetches nothing. A bare name (`vendor.example`) is no link here, because notices name the reader's own domains.
//! Invariant: whatever stands between the scheme and the path is judged by the host that a browser would go to; what
//! cannot be judged is nobody's own.

mod markup;

pub use markup::{visible, words_of_template};

use crate::domain::DomainName;
use crate::suffixes::SuffixList;

/// Programs take these for addresses with any number of slashes behind the colon, none included.
const WEB: [&str; 2] = ["http", "https"];
/// These with one slash at least.
const NEARLY_WEB: [&str; 4] = ["file", "ftp", "ws", "wss"];
/// What is opened without a host.
const OPENED: [&str; 13] = [
    "bitcoin",
    "callto",
    "facetime",
    "javascript",
    "magnet",
    "mailto",
    "sip",
    "sips",
    "skype",
    "sms",
    "tel",
    "whatsapp",
    "xmpp",
];
/// Marks around an address. No top level has one in its name, so what follows one without a dot is text again.
const MARKS: &str = ",;'\"()[]<>|`、」』】〉》「『【〈《";

/// What follows a host where it is no name alone.
const PATHS: [char; 3] = ['/', '?', '#'];

/// An address in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'t> {
    /// Its first byte.
    pub at: usize,
    /// As it stands there, up to its path.
    pub written: &'t str,
    /// Where it leads; none: it cannot be told, or to no name (an IP address, a telephone).
    pub host: Option<DomainName>,
    /// Where white space makes it a text again.
    joint: usize,
}

impl Link<'_> {
    /// Line and column, from 1, in the text it was found in.
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (1 + before.matches('\n').count(), 1 + line.chars().count())
    }
}

/// Every address with a scheme (`https://…`, `mailto:…`), every name that begins with `www.`, and every host with a path
/// (`evil.example/login`).
pub fn links(text: &str) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    let ends = |char: char| char.is_whitespace() || char.is_control();
    let mut from = 0;
    for word in text.split_inclusive(ends) {
        let bytes = word.as_bytes();
        let has_path = bytes.contains(&b'.') && bytes.iter().any(|byte| PATHS.contains(&char::from(*byte)));
        if !word.is_ascii()
            || has_path
            || bytes.contains(&b':')
            || bytes.windows(2).any(|two| two.eq_ignore_ascii_case(b"ww"))
        {
            Word::read(text, from, word.trim_end_matches(ends)).links(&mut found);
        }
        from += word.len();
    }
    found.sort_by_key(|link| link.at);
    found
}

/// The same words with a space in each link, so that no program makes one of them.
pub fn unlinked(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let mut joints: Vec<usize> = links(&text).iter().map(|link| link.joint).collect();
        if joints.is_empty() {
            return text;
        }
        joints.sort_unstable();
        joints.dedup();
        for joint in joints.into_iter().rev() {
            text.insert(joint, ' ');
        }
    }
}

/// What stands between white space, without what nobody sees, in the letters that browsers take it for.
struct Word<'t> {
    text: &'t str,
    /// First byte, and as it is written.
    written: Vec<(usize, char)>,
    read: Vec<char>,
    /// Behind its last byte.
    end: usize,
}

impl<'t> Word<'t> {
    fn read(text: &'t str, from: usize, word: &str) -> Self {
        let seen = word.char_indices().filter(|(_, char)| !is_invisible(*char));
        let written: Vec<(usize, char)> = seen.map(|(at, char)| (from + at, char)).collect();
        let read = written.iter().map(|(_, char)| plain(*char)).collect();
        Self { text, written, read, end: from + word.len() }
    }

    fn byte(&self, at: usize) -> usize {
        self.written.get(at).map_or(self.end, |(byte, _)| *byte)
    }

    fn links(&self, found: &mut Vec<Link<'t>>) {
        let before = found.len();
        for (colon, _) in self.read.iter().enumerate().filter(|(_, char)| **char == ':') {
            found.extend(self.with_scheme(colon));
        }
        let has_scheme = found.len() > before;
        for (at, _) in self.read.windows(4).enumerate().filter(|(_, four)| *four == ['w', 'w', 'w', '.']) {
            let goes_on = self.read.get(at + 4).is_some_and(|char| char.is_alphanumeric());
            let begins = match at.checked_sub(1).map(|before| self.written[before].1) {
                None => true,
                Some('/') => !has_scheme,
                Some(char) => !char.is_ascii_alphanumeric() && !".-@_".contains(char),
            };
            if goes_on && begins {
                found.push(self.link(at, at, at + 4));
            }
        }
        let known: Vec<usize> = found[before..].iter().map(|link| link.at).collect();
        for (at, _) in self.read.iter().enumerate().filter(|(_, char)| PATHS.contains(char)) {
            found.extend(self.with_path(at, has_scheme).filter(|link| !known.contains(&link.at)));
        }
    }

    /// A host, perhaps with a port, right before a path.
    fn with_path(&self, path: usize, has_scheme: bool) -> Option<Link<'t>> {
        if !self.read.get(path + 1).is_some_and(|char| char.is_alphanumeric() || "~%_-.=".contains(*char)) {
            return None;
        }
        let digits = self.read[..path].iter().rev().take_while(|char| char.is_ascii_digit()).count();
        let has_port = digits > 0 && path > digits && self.read[path - digits - 1] == ':';
        let end = if has_port { path - digits - 1 } else { path };
        let is_of_host = |char: &&char| char.is_alphanumeric() || ".-".contains(**char);
        let at = end - self.read[..end].iter().rev().take_while(is_of_host).count();
        let host: String = self.read[at..end].iter().collect();
        let top = host.rsplit('.').next().filter(|top| top.len() < host.len())?;
        let is_top = top.starts_with("xn--") || (top.len() > 1 && top.bytes().all(|byte| byte.is_ascii_lowercase()));
        let begins = match at.checked_sub(1).map(|before| self.read[before]) {
            Some('/' | '\\') => !has_scheme,
            Some(char) => !"@_:?#=&%".contains(char),
            None => true,
        };
        let parts = host.split('.').all(|part| !part.is_empty());
        (is_top && begins && parts).then(|| {
            let written = &self.text[self.byte(at)..self.byte(end)];
            Link { at: self.byte(at), written, host: DomainName::parse(&host).ok(), joint: self.byte(path) }
        })
    }

    fn with_scheme(&self, colon: usize) -> Option<Link<'t>> {
        let is_of_scheme = |char: &&char| char.is_ascii_alphanumeric() || "+.-".contains(**char);
        let length = self.read[..colon].iter().rev().take_while(is_of_scheme).count();
        let scheme: String = self.read[colon - length..colon].iter().collect();
        let last = scheme.rsplit(['.', '+', '-']).next().unwrap_or_default();
        let slashes = self.read[colon + 1..].iter().take_while(|char| matches!(char, '/' | '\\')).count();
        let authority = colon + 1 + slashes;
        let named = self.read.get(authority).is_some_and(|char| char.is_alphanumeric() || "[@%+".contains(*char));
        let any = length > 0 && slashes > 1;
        let sloppy = named && (WEB.contains(&last) || (slashes > 0 && NEARLY_WEB.contains(&last)));
        if any || sloppy {
            return Some(self.link(colon - length, authority, colon + 1));
        }
        (named && slashes == 0 && OPENED.contains(&last)).then(|| self.opened(colon, last))
    }

    /// A link whose authority begins there.
    fn link(&self, at: usize, authority: usize, joint: usize) -> Link<'t> {
        let rest = &self.read[authority..];
        let rest = &rest[..rest.iter().position(|char| "/?#\\".contains(*char)).unwrap_or(rest.len())];
        let trailing = |char: &&char| MARKS.contains(**char) || ".:!&。".contains(**char);
        let rest = &rest[..rest.len() - rest.iter().rev().take_while(trailing).count()];
        let mark = rest.iter().position(|char| MARKS.contains(*char));
        let length = match mark {
            Some(mark) if !rest[mark..].iter().any(|char| matches!(char, '.' | '@')) => mark,
            _ => rest.len(),
        };
        let host: String = rest[..length].iter().collect();
        let written = &self.text[self.byte(at)..self.byte(authority + length)];
        Link { at: self.byte(at), written, host: host_of(&host), joint: self.byte(joint) }
    }

    /// A link to a mailbox, a telephone and the like.
    fn opened(&self, colon: usize, scheme: &str) -> Link<'t> {
        let at = colon - scheme.len();
        let rest: String = self.read[colon + 1..].iter().collect();
        let rest = rest.trim_end_matches(|char| MARKS.contains(char) || ".:!&".contains(char));
        let (mailbox, host) = rest.split_once('@').unwrap_or_default();
        let plain = scheme == "mailto" && mailbox.bytes().all(|it| it.is_ascii_alphanumeric() || b"+.-_".contains(&it));
        let length = rest.chars().count();
        Link {
            at: self.byte(at),
            written: &self.text[self.byte(at)..self.byte(colon + 1 + length)],
            host: if plain { DomainName::parse(host).ok() } else { None },
            joint: self.byte(colon + 1),
        }
    }
}

/// Of an authority; none with a user's name in it, however much that looks like a host.
fn host_of(authority: &str) -> Option<DomainName> {
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port && !host.contains('@') { DomainName::parse(host).ok() } else { None }
}

/// In lower case, full-width letters as ASCII, and every full stop of UTS 46 as a dot.
fn plain(char: char) -> char {
    match char {
        '\u{3002}' | '\u{ff61}' => '.',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(char) - 0xfee0).map_or(char, |ascii| ascii.to_ascii_lowercase())
        }
        other => other.to_ascii_lowercase(),
    }
}

fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Hosts that letters may lead to.
#[derive(Debug, Clone)]
pub struct OwnHosts {
    /// The sender's organisational domain: what it registered.
    domain: String,
    /// Further ones, allowed by name.
    others: Vec<String>,
}

impl OwnHosts {
    /// Of a sender whose address has this domain; `others` are allowed with whatever stands below them.
    pub fn new(sender_domain: &str, others: &[String], list: &SuffixList) -> Self {
        let registrable = |name: DomainName| list.registrable(&name).unwrap_or(name.as_str()).to_owned();
        let domain = DomainName::parse(sender_domain).map_or_else(|_| sender_domain.to_lowercase(), registrable);
        let parsed = |name: &String| DomainName::parse(name).map_or_else(|_| name.clone(), |it| it.as_str().to_owned());
        Self { domain, others: others.iter().map(parsed).collect() }
    }

    /// The organisational domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a host is the sender's.
    pub fn allow(&self, host: &DomainName) -> bool {
        let below = |base: &str| {
            let host = host.as_str();
            host == base || host.strip_suffix(base).is_some_and(|rest| rest.ends_with('.'))
        };
        below(&self.domain) || self.others.iter().any(|other| below(other))
    }

    /// The links of a text that lead elsewhere.
    pub fn outside<'t>(&self, text: &'t str) -> Vec<Link<'t>> {
        let mut links = links(text);
        links.retain(|link| !link.host.as_ref().is_some_and(|host| self.allow(host)));
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own() -> OwnHosts {
        OwnHosts::new("mail.vendor.co.uk", &["status.partner.example".to_owned()], SuffixList::builtin())
    }

    fn check(text: &str, outside: &[&str]) {
        let found: Vec<&str> = own().outside(text).iter().map(|link| link.written).collect::<Vec<_>>();
        assert_eq!(found, outside, "{text}");
    }

    #[test]
    fn hosts_below_the_organisational_domain_are_our_own() {
        assert_eq!(own().domain(), "vendor.co.uk");
        check("See https://vendor.co.uk/x, HTTPS://Help.Vendor.co.uk:443/y and www.vendor.co.uk.", &[]);
        check("https://status.partner.example/ and https://eu.status.partner.example", &[]);
    }

    #[test]
    fn everything_else_leads_elsewhere_whatever_it_looks_like() {
        check("https://co.uk/", &["https://co.uk"]);
        check("https://evilvendor.co.uk/", &["https://evilvendor.co.uk"]);
        check("https://vendor.co.uk.evil.example/", &["https://vendor.co.uk.evil.example"]);
        check("https://vendor.co.uk@evil.example/", &["https://vendor.co.uk@evil.example"]);
        check("https://vendor.co.uk:x@evil.example", &["https://vendor.co.uk:x@evil.example"]);
        check("https://evil.example\\@vendor.co.uk/", &["https://evil.example"]);
        check("https://partner.example", &["https://partner.example"]);
        check("https://vеndor.co.uk", &["https://vеndor.co.uk"]);
        check("(www.evil.example)", &["www.evil.example"]);
        check("ftp://192.0.2.7/x", &["ftp://192.0.2.7"]);
        check("https://[2001:db8::1]/", &["https://"]);
        check("https://[::ffff:192.0.2.7]/", &["https://[::ffff:192.0.2.7"]);
        check("http://localhost/", &["http://localhost"]);
        check("「https://evil.example」をご覧ください", &["https://evil.example"]);
    }

    #[test]
    fn the_authority_ends_where_a_browser_ends_it() {
        for mark in [",", ";", "'", "]", ")", "\"", "」", "&"] {
            let link = format!("https://vendor.co.uk{mark}@evil.example");
            check(&format!("{link}/x"), &[&link]);
            let link = format!("https://vendor.co.uk{mark}.evil.example");
            check(&link, &[&link]);
        }
        for dot in ["。", "．", "｡"] {
            let link = format!("https://vendor.co.uk{dot}evil.example");
            check(&link, &[&link]);
        }
        check("https://vendor.co.uk%2eevil.example/", &["https://vendor.co.uk%2eevil.example"]);
        check("https://vendor.co.uk:80x/", &["https://vendor.co.uk:80x"]);
        check("'https://vendor.co.uk', (https://vendor.co.uk); https://vendor.co.uk。", &[]);
        check("「https://vendor.co.uk」をご覧ください。\n詳しくはhttps://vendor.co.uk/x。", &[]);
    }

    #[test]
    fn a_scheme_needs_no_two_slashes() {
        check("https:/evil.example", &["https:/evil.example"]);
        check("HTTP:evil.example", &["HTTP:evil.example"]);
        check("https:\\\\evil.example", &["https:\\\\evil.example"]);
        check("https:///evil.example", &["https:///evil.example"]);
        check("ht\u{ad}tps:\u{200b}//evil.example", &["ht\u{ad}tps:\u{200b}//evil.example"]);
        check("ｈttps：／／evil.example", &["ｈttps：／／evil.example"]);
        check("ftp:/evil.example and ww\u{200b}w.evil.example", &["ftp:/evil.example", "ww\u{200b}w.evil.example"]);
        check("です。www.evil.example", &["www.evil.example"]);
        check("see/www.evil.example", &["www.evil.example"]);
        check("https:/vendor.co.uk/www.x and \"https:\" alone", &[]);
    }

    #[test]
    fn mailboxes_and_telephones_are_links_too() {
        check("mailto:help@vendor.co.uk, <mailto:ir@mail.vendor.co.uk>.", &[]);
        check("mailto:help@evil.example", &["mailto:help@evil.example"]);
        check("mailto:a@vendor.co.uk,b@evil.example", &["mailto:a@vendor.co.uk,b@evil.example"]);
        check("mailto:a@vendor.co.uk?cc=b@evil.example", &["mailto:a@vendor.co.uk?cc=b@evil.example"]);
        check("tel:+49301 Tel: +4930", &["tel:+49301"]);
    }

    #[test]
    fn a_space_makes_a_link_a_text() {
        for (text, said) in [
            ("www.evil.example", "www. evil.example"),
            ("a www.www.evil.example", "a www. www. evil.example"),
            ("https://www.evil.example/ mailto:x@evil.example", "https: // www. evil.example/ mailto: x@evil.example"),
            ("Contoso: R&D", "Contoso: R&D"),
        ] {
            assert_eq!(unlinked(text).replace("//www", "// www"), said);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_a_link_once_it_was_made_a_text(text in "(https|www|mailto|vendor|evil|:|/|\\\\|[.]|@|,|。|．|：|\u{200b}| |é|<|>|あ){0,12}") {
            let broken = unlinked(&text);
            prop_assert!(links(&broken).is_empty(), "{broken}");
            prop_assert_eq!(broken.replace(' ', ""), text.replace(' ', ""));
        }

        #[test]
        fn whatever_stands_before_a_strange_host_it_is_refused(between in "[!-~。．｡」、é\u{200b}]{0,8}") {
            let link = format!("https://vendor.co.uk{between}@evil.example");
            // A path ends the authority; what follows it is no host.
            prop_assume!(!between.contains(['/', '?', '#', '\\']));
            prop_assert!(!own().outside(&link).is_empty(), "{link}");
        }
    }

    #[test]
    fn names_alone_are_no_links() {
        check("org.example, security@org.example, 12:30, and/or, a.b://", &["a.b://"]);
        check("mail.www.example and x@www.example", &[]);
        check(
            "and/or, Nr. 12/2020, 1.2/3, z.B./d.h., はい。いいえ/次, contoso.example / fabrikam.example, x@a.example/b",
            &[],
        );
    }

    #[test]
    fn a_host_with_a_path_is_a_link_without_any_scheme() {
        check("Go to evil.example/login now", &["evil.example"]);
        check("(evil.example:8443/x), see/a.evil.example?token=1", &["evil.example", "a.evil.example"]);
        check("詳しくはevil.example/xをご覧ください", &["詳しくはevil.example"]);
        check("Evil.Example#top", &["Evil.Example"]);
        check("help.vendor.co.uk/status and vendor.co.uk?x=1", &[]);
        assert_eq!(unlinked("evil.example/login"), "evil.example /login");
    }

    #[test]
    fn a_link_has_a_line_and_a_column() {
        let text = "one\nä https://evil.example/x\n";
        assert_eq!(own().outside(text)[0].place(text), (2, 3));
    }
}
