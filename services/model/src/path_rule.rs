//! Path rules: where in an object's path the organisation, the person and the kind of data are written. An inventory of
//! a storage account has no such columns; the incident states a rule like `exports/{domain}_backup/**` instead.
//!
//! Does not judge what it finds (`model::intake` does) and never looks into an object. Invariant: a match takes time
//! linear in the path, and captures are non-empty pieces of the path as they stand there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest rule, in bytes. With [`MOST_SEGMENTS`] it bounds what a match can cost.
pub const LONGEST_RULE: usize = 1024;
/// Most segments of a rule.
pub const MOST_SEGMENTS: usize = 64;

/// What a rule can find in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// The host or domain of the organisation.
    Domain,
    /// The address of a person.
    Email,
    /// The project it belongs to.
    ProjectId,
    /// The user it belongs to.
    UserId,
    /// The kind of data.
    DataType,
}

impl Capture {
    /// All, in the order of [`Captures`].
    pub const ALL: [Self; 5] = [Self::Domain, Self::Email, Self::ProjectId, Self::UserId, Self::DataType];

    /// The name of the manifest field, which is the name in the braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Email => "email",
            Self::ProjectId => "project_id",
            Self::UserId => "user_id",
            Self::DataType => "data_type",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capture| capture.name() == name)
    }
}

/// Why a text is not a path rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPathRule {
    /// Nothing in it.
    #[error("the path rule is empty; write one like exports/{{domain}}/**")]
    Empty,
    /// Longer than a rule can be.
    #[error("the path rule is longer than {LONGEST_RULE} bytes or {MOST_SEGMENTS} segments; use ** for what differs")]
    TooLong,
    /// Two slashes in a row, or one at the end.
    #[error("segment {0} of the path rule is empty; remove the second slash, and end with /** for all that is below")]
    EmptySegment(usize),
    /// A brace without its partner.
    #[error("a brace in {0:?} has no partner; a capture is written like {{domain}}")]
    LoneBrace(String),
    /// A name that is no capture.
    #[error("{{{0}}} is nothing that a path rule finds; it finds domain, email, project_id, user_id, data_type")]
    UnknownCapture(String),
    /// The same capture twice.
    #[error("{{{0}}} stands in the path rule twice; use * where it does not matter")]
    Twice(&'static str),
    /// Nothing between two captures or stars.
    #[error("nothing stands between two captures or stars in {0:?}; put the text there that separates them")]
    Touching(String),
    /// `**` with other text in its segment.
    #[error("** stands for whole segments, and {0:?} has more in it; use * within a segment")]
    StarsInside(String),
    /// No capture at all.
    #[error("the path rule finds nothing; put {{domain}} or {{email}} where the organisation is named")]
    NoCapture,
}

/// A template over the segments of a path: text stands for itself, `*` for one segment or a part of one, `**` for any
/// number of segments, `{domain}` and the other [`Capture`]s for a piece that is not empty. Of several matches the
/// leftmost, shortest counts. A slash in front of rule or path makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathRule {
    text: String,
    /// What stands between the `**`: one block where there is none.
    blocks: Vec<Vec<Segment>>,
}

/// What a rule found in a path: pieces of it, never empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captures<'p> {
    /// The host or domain of the organisation.
    pub domain: Option<&'p str>,
    /// The address of a person.
    pub email: Option<&'p str>,
    /// The project it belongs to.
    pub project_id: Option<&'p str>,
    /// The user it belongs to.
    pub user_id: Option<&'p str>,
    /// The kind of data.
    pub data_type: Option<&'p str>,
}

impl<'p> Captures<'p> {
    fn set(&mut self, capture: Capture, piece: &'p str) {
        let slot = match capture {
            Capture::Domain => &mut self.domain,
            Capture::Email => &mut self.email,
            Capture::ProjectId => &mut self.project_id,
            Capture::UserId => &mut self.user_id,
            Capture::DataType => &mut self.data_type,
        };
        *slot = Some(piece);
    }
}

/// A segment: the text it begins with, then what varies, each with the text that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    prefix: String,
    parts: Vec<(Wild, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wild {
    /// `*`: anything, also nothing.
    Any,
    /// `{name}`: anything but nothing.
    Capture(Capture),
}

impl PathRule {
    /// Reads a rule.
    pub fn parse(text: &str) -> Result<Self, BadPathRule> {
        let text = text.trim();
        let template = text.strip_prefix('/').unwrap_or(text);
        if template.is_empty() {
            return Err(BadPathRule::Empty);
        }
        if text.len() > LONGEST_RULE || template.split('/').count() > MOST_SEGMENTS {
            return Err(BadPathRule::TooLong);
        }
        let mut blocks = vec![Vec::new()];
        let mut seen = Vec::new();
        for (at, segment) in template.split('/').enumerate() {
            match segment {
                "" => return Err(BadPathRule::EmptySegment(at + 1)),
                "**" => blocks.push(Vec::new()),
                _ => {
                    let segment = Segment::parse(segment, &mut seen)?;
                    if let Some(block) = blocks.last_mut() {
                        block.push(segment);
                    }
                }
            }
        }
        if seen.is_empty() {
            return Err(BadPathRule::NoCapture);
        }
        Ok(Self { text: text.to_owned(), blocks })
    }

    /// The rule as it was written, trimmed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a match finds that.
    pub fn finds(&self, capture: Capture) -> bool {
        let parts = self.blocks.iter().flatten().flat_map(|segment| &segment.parts);
        parts.into_iter().any(|(wild, _)| *wild == Wild::Capture(capture))
    }

    /// What the rule finds in a path; `None` where the path does not match.
    pub fn captures<'p>(&self, path: &'p str) -> Option<Captures<'p>> {
        let mut found = Captures::default();
        // `None` is the path behind its last segment; an empty text is one empty segment.
        let mut rest = Some(path.strip_prefix('/').unwrap_or(path));
        let (first, others) = self.blocks.split_first()?;
        rest = match_block(first, rest, &mut found)?;
        let Some((last, middle)) = others.split_last() else { return rest.is_none().then_some(found) };
        for block in middle {
            rest = find_block(block, rest, &mut found)?;
        }
        match_block(last, tail(rest, last.len())?, &mut found)?.is_none().then_some(found)
    }
}

/// Matches a block where `rest` begins; what is left behind it.
fn match_block<'p>(block: &[Segment], rest: Option<&'p str>, found: &mut Captures<'p>) -> Option<Option<&'p str>> {
    block.iter().try_fold(rest, |rest, segment| {
        let (first, behind) = split_segment(rest?);
        segment.matches(first, found).then_some(behind)
    })
}

/// Matches a block at the first place where it can; what is left behind it.
fn find_block<'p>(block: &[Segment], mut rest: Option<&'p str>, found: &mut Captures<'p>) -> Option<Option<&'p str>> {
    if block.is_empty() {
        return Some(rest);
    }
    loop {
        if let Some(behind) = match_block(block, rest, found) {
            return Some(behind);
        }
        rest = split_segment(rest?).1;
    }
}

/// The last `count` segments of `rest`; `None` where there are fewer.
fn tail(rest: Option<&str>, count: usize) -> Option<Option<&str>> {
    if count == 0 {
        return Some(None);
    }
    let rest = rest?;
    match rest.rmatch_indices('/').nth(count - 1) {
        Some((at, _)) => Some(Some(&rest[at + 1..])),
        None => (rest.split('/').count() == count).then_some(Some(rest)),
    }
}

fn split_segment(rest: &str) -> (&str, Option<&str>) {
    rest.split_once('/').map_or((rest, None), |(first, behind)| (first, Some(behind)))
}

impl Segment {
    fn parse(text: &str, seen: &mut Vec<Capture>) -> Result<Self, BadPathRule> {
        if text.contains("**") {
            return Err(BadPathRule::StarsInside(text.to_owned()));
        }
        let lone_brace = || BadPathRule::LoneBrace(text.to_owned());
        let mut segment = Self { prefix: String::new(), parts: Vec::new() };
        let mut rest = text;
        loop {
            let at = rest.find(['{', '}', '*']).unwrap_or(rest.len());
            let (literal, behind) = rest.split_at(at);
            match segment.parts.last_mut() {
                None => literal.clone_into(&mut segment.prefix),
                Some(_) if literal.is_empty() && !behind.is_empty() => {
                    // A brace that closes nothing is the plainer thing to say.
                    let wrong = if behind.starts_with('}') { lone_brace() } else { BadPathRule::Touching(text.into()) };
                    return Err(wrong);
                }
                Some((_, follows)) => literal.clone_into(follows),
            }
            let wild = match behind.chars().next() {
                None => return Ok(segment),
                Some('*') => {
                    rest = &behind[1..];
                    Wild::Any
                }
                Some('{') => {
                    let (name, behind) = behind[1..].split_once('}').ok_or_else(lone_brace)?;
                    let capture = Capture::parse(name).ok_or_else(|| BadPathRule::UnknownCapture(name.to_owned()))?;
                    if seen.contains(&capture) {
                        return Err(BadPathRule::Twice(capture.name()));
                    }
                    seen.push(capture);
                    rest = behind;
                    Wild::Capture(capture)
                }
                Some(_) => return Err(lone_brace()),
            };
            segment.parts.push((wild, String::new()));
        }
    }

    /// Each part takes as little as it can, the last one all that is left: if any division matches, this one does.
    fn matches<'p>(&self, text: &'p str, found: &mut Captures<'p>) -> bool {
        let Some(mut rest) = text.strip_prefix(self.prefix.as_str()) else { return false };
        let Some(((last, suffix), parts)) = self.parts.split_last() else { return rest.is_empty() };
        for (wild, follows) in parts {
            let least = wild.least(rest);
            let Some(at) = rest.get(least..).and_then(|rest| rest.find(follows.as_str())) else { return false };
            wild.take(&rest[..least + at], found);
            rest = &rest[least + at + follows.len()..];
        }
        let Some(piece) = rest.strip_suffix(suffix.as_str()) else { return false };
        if piece.len() < last.least(piece) {
            return false;
        }
        last.take(piece, found);
        true
    }
}

impl Wild {
    /// The fewest bytes of `rest` that it takes: none, or the first character.
    fn least(self, rest: &str) -> usize {
        match self {
            Self::Any => 0,
            Self::Capture(_) => rest.chars().next().map_or(1, char::len_utf8),
        }
    }

    fn take<'p>(self, piece: &'p str, found: &mut Captures<'p>) {
        match self {
            Self::Any => {}
            Self::Capture(capture) => found.set(capture, piece),
        }
    }
}

impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for PathRule {
    type Err = BadPathRule;

    fn from_str(text: &str) -> Result<Self, BadPathRule> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PathRule {
    type Error = BadPathRule;

    fn try_from(text: String) -> Result<Self, BadPathRule> {
        Self::parse(&text)
    }
}

impl From<PathRule> for String {
    fn from(rule: PathRule) -> Self {
        rule.text
    }
}

#[cfg(test)]
mod tests;
