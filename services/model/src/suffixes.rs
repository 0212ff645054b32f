//! The Public Suffix List as a value: below which names strangers register theirs (R3, R4).
//!
//! Does not fetch a list: one is compiled in, and an operator can hand in a newer one. Invariant: the suffix of a name
//! is the one that the algorithm of publicsuffix.org gives, and a list that was read has rules enough to be whole.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::domain::{BadDomain, DomainName, normal};

/// Longest list in octets: 8 MiB. The official one had a third of one in 2026.
const LONGEST_LIST: usize = 8 << 20;
/// Fewest rules of a whole list. The official one had 10,397 in 2026, and one of each top-level domain is over 1,400.
const FEWEST_RULES: usize = 1_000;
/// Longest text of a version that is worth showing.
const LONGEST_VERSION: usize = 64;
/// So much of a bad rule stands in the error, in characters.
const SHOWN_OF_A_RULE: usize = 60;
/// Where the rules of registries begin.
const ICANN_BEGIN: &str = "===BEGIN ICANN DOMAINS===";
/// Where the rules of registries end.
const ICANN_END: &str = "===END ICANN DOMAINS===";
/// Where the rules of other owners begin, such as `github.io`.
const PRIVATE_BEGIN: &str = "===BEGIN PRIVATE DOMAINS===";
/// Where the rules of other owners end.
const PRIVATE_END: &str = "===END PRIVATE DOMAINS===";

/// The rules of one version of the list. Nearly a megabyte: share it, do not copy it.
pub struct SuffixList {
    version: String,
    /// By name in A-labels, without the `*.` or the `!` before it.
    rules: HashMap<Box<str>, Rules, foldhash::fast::FixedState>,
    count: usize,
}

/// Why a text is not a Public Suffix List.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSuffixList {
    /// More than any list has.
    #[error("the list has {octets} octets, over the limit of {LONGEST_LIST}; give public_suffix_list.dat itself")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// It is something else.
    #[error("the line `// {ICANN_BEGIN}` is missing; give the list as publicsuffix.org publishes it")]
    NoIcannSection,
    /// It was cut short.
    #[error("the section that begins on line {line} does not end; the file is cut short, fetch it again")]
    OpenSection {
        /// Where it begins, from 1.
        line: usize,
    },
    /// A rule before, between or behind the sections.
    #[error("line {line}: the rule {rule:?} stands in no section; give the list as publicsuffix.org publishes it")]
    OutsideSections {
        /// Counted from 1.
        line: usize,
        /// Its beginning.
        rule: String,
    },
    /// A rule that names no domain.
    #[error("line {line}: {rule:?} is no rule; correct it, or fetch the list again")]
    BadRule {
        /// Counted from 1.
        line: usize,
        /// Its beginning.
        rule: String,
        /// What is wrong with the name in it.
        #[source]
        source: BadDomain,
    },
    /// Sections without rules.
    #[error("the list has no rules; fetch it again")]
    NoRules,
    /// Only a part of it.
    #[error("the list has {rules} rules, and a whole one over {FEWEST_RULES}; fetch it again")]
    TooFewRules {
        /// How many there are.
        rules: usize,
    },
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// A registry's.
    Icann,
    /// Somebody's who gives names away below an own one.
    Private,
}

/// What a rule says.
enum Kind {
    /// `name`: it is a suffix.
    Exact,
    /// `*.name`: each name right below it is one.
    Wildcard,
    /// `!name`: it is none, whatever else is said.
    Exception,
}

/// The rules about one name.
#[derive(Debug, Clone, Copy, Default)]
struct Rules {
    exact: Option<Section>,
    wildcard: Option<Section>,
    exception: Option<Section>,
}

/// A suffix and the section of the rule that makes it one; none by the implicit rule `*`.
struct Found<'n> {
    suffix: &'n str,
    section: Option<Section>,
}

impl SuffixList {
    /// The list that is compiled in; read when it is first asked for.
    pub fn builtin() -> &'static SuffixList {
        static BUILTIN: LazyLock<SuffixList> = LazyLock::new(|| {
            // A test reads the same text, so a list that cannot be read never leaves the house.
            SuffixList::parse(include_str!("../data/public_suffix_list.dat")).unwrap_or_else(|_| SuffixList::empty())
        });
        &BUILTIN
    }

    /// Reads a list in the format of publicsuffix.org. One bad line and nothing of it is used.
    pub fn parse(text: &str) -> Result<SuffixList, BadSuffixList> {
        if text.len() > LONGEST_LIST {
            return Err(BadSuffixList::TooLong { octets: text.len() });
        }
        let text = text.trim_start_matches('\u{feff}');
        // First, because of an HTML page in place of the list the error about its first line would say less.
        if !text.lines().any(|line| comment(line) == Some(ICANN_BEGIN)) {
            return Err(BadSuffixList::NoIcannSection);
        }
        let mut list = SuffixList::empty();
        let mut open: Option<(Section, usize)> = None;
        for (line, text) in (1..).zip(text.lines()) {
            match comment(text) {
                None => list.read_rule(line, text, open.map(|(section, _)| section))?,
                Some(ICANN_BEGIN) => open = Some((Section::Icann, line)),
                Some(PRIVATE_BEGIN) => open = Some((Section::Private, line)),
                Some(ICANN_END | PRIVATE_END) => open = None,
                Some(comment) => list.read_version(comment),
            }
        }
        match open {
            Some((_, line)) => Err(BadSuffixList::OpenSection { line }),
            None if list.count == 0 => Err(BadSuffixList::NoRules),
            None if list.count < FEWEST_RULES => Err(BadSuffixList::TooFewRules { rules: list.count }),
            None => Ok(list),
        }
    }

    /// What the list says of itself: `2026-11-20_08-12-33_UTC`; `unknown` where it says nothing.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The day of the version: `2026-11-20`.
    pub fn date(&self) -> Option<&str> {
        self.version.get(..10).filter(|day| day.parse::<jiff::civil::Date>().is_ok())
    }

    /// How many rules it has.
    pub fn rules(&self) -> usize {
        self.count
    }

    /// The part of a name that somebody registered: its public suffix and one label more. `None` for a public suffix;
    /// of names without a rule the last two labels.
    pub fn registrable<'n>(&self, name: &'n DomainName) -> Option<&'n str> {
        let suffix = self.public_suffix(name);
        name.suffixes().take_while(|longer| longer.len() > suffix.len()).last()
    }

    /// Whether the name is a public suffix, under which others register (`co.uk`, `github.io`).
    pub fn is_public_suffix(&self, name: &DomainName) -> bool {
        self.public_suffix(name).len() == name.as_str().len()
    }

    /// The longest part of a name below which others register; of names without a rule the last label.
    pub fn public_suffix<'n>(&self, name: &'n DomainName) -> &'n str {
        self.find(name.as_str()).suffix
    }

    /// Whether the list has a rule for the name, be it only for its last label. Without one nobody sells such names.
    pub fn knows(&self, name: &DomainName) -> bool {
        self.find(name.as_str()).section.is_some()
    }

    /// Whether the rule that makes it a suffix stands in the section of private owners (`github.io`). Expects the
    /// normal form of [`DomainName`]; false for what is no suffix.
    pub fn is_private(&self, suffix: &str) -> bool {
        let found = self.find(suffix);
        found.suffix == suffix && found.section == Some(Section::Private)
    }

    /// A list that knows the implicit rule only.
    fn empty() -> SuffixList {
        SuffixList { version: "unknown".to_owned(), rules: HashMap::default(), count: 0 }
    }

    /// The algorithm of publicsuffix.org: an exception decides, else the longest rule that matches.
    fn find<'n>(&self, name: &'n str) -> Found<'n> {
        let mut best: Option<Found<'n>> = None;
        let mut below: Option<&'n str> = None;
        let mut at = name;
        loop {
            let rules = self.rules.get(at).copied().unwrap_or_default();
            let above = at.split_once('.').map(|(_, above)| above);
            if let (Some(_), Some(above)) = (rules.exception, above) {
                return Found { suffix: above, section: rules.exception };
            }
            best = match (best, below, rules) {
                (Some(longer), _, _) => Some(longer),
                (None, Some(suffix), Rules { wildcard: Some(section), .. }) => {
                    Some(Found { suffix, section: Some(section) })
                }
                (None, _, Rules { exact: Some(section), .. }) => Some(Found { suffix: at, section: Some(section) }),
                (None, _, _) => None,
            };
            let Some(above) = above else { break };
            (below, at) = (Some(at), above);
        }
        best.unwrap_or(Found { suffix: at, section: None })
    }

    /// A line that is no comment: a rule up to the first white space, or nothing.
    fn read_rule(&mut self, line: usize, text: &str, section: Option<Section>) -> Result<(), BadSuffixList> {
        let Some(rule) = text.split_whitespace().next() else { return Ok(()) };
        let shown = || rule.chars().take(SHOWN_OF_A_RULE).collect();
        let Some(section) = section else { return Err(BadSuffixList::OutsideSections { line, rule: shown() }) };
        // An exception needs a label above it, which is the suffix then; other rules get a label below them.
        let below = |name: &str| normal(&format!("a.{name}")).map(|name| Box::from(&name[2..]));
        let (kind, name) = match (rule.strip_prefix('!'), rule.strip_prefix("*.")) {
            (Some(name), _) => (Kind::Exception, normal(name).map(Box::from)),
            (None, Some(name)) => (Kind::Wildcard, below(name)),
            (None, None) => (Kind::Exact, below(rule)),
        };
        let name: Box<str> = name.map_err(|source| BadSuffixList::BadRule { line, rule: shown(), source })?;
        let rules = self.rules.entry(name).or_default();
        let slot = match kind {
            Kind::Exact => &mut rules.exact,
            Kind::Wildcard => &mut rules.wildcard,
            Kind::Exception => &mut rules.exception,
        };
        // A registry's word about a name, which comes first, counts more than that of the name's owner.
        slot.get_or_insert(section);
        self.count += 1;
        Ok(())
    }

    /// Takes the version from a comment that holds one; the first counts.
    fn read_version(&mut self, comment: &str) {
        let Some(version) = comment.strip_prefix("VERSION:").map(str::trim) else { return };
        let is_one = version.len() <= LONGEST_VERSION && version.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one && !version.is_empty() && self.version == "unknown" {
            self.version = version.to_owned();
        }
    }
}

/// The text of a line that is a comment.
fn comment(line: &str) -> Option<&str> {
    line.trim().strip_prefix("//").map(str::trim_start)
}

/// Without the rules, which nobody wants in a log.
impl fmt::Debug for SuffixList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuffixList").field("version", &self.version).field("rules", &self.count).finish()
    }
}

#[cfg(test)]
mod tests;
