//! A number and what it counts, held against the facts.
//!
//! Reads no text. Invariant: a figure that is exactly a fact agrees; one beside it by one contradicts unless the text
//! says that it is rounded, by a word, a unit or a bound.

use super::nouns::Thing;
use super::numbers::{Number, Reading};
use super::{Facts, Judged, Verdict, figures};

/// The size, which no noun names.
pub(super) const BYTES: &str = "\0bytes";
/// Said of a rounded number that no noun stands beside.
pub(super) const IF_MEANT: &str = "if this is meant";
/// A rounded figure is at most this part of the real one beside it.
const NEAR: i128 = 10;

/// How a number is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Exactly,
    About,
    AtLeast,
    AtMost,
}

/// A number as a text has it.
pub(super) struct Said<'a> {
    pub(super) number: &'a Number,
    /// The other end, of a range.
    pub(super) until: Option<&'a Number>,
    pub(super) bound: Bound,
    /// Whether words say that it is of a part.
    pub(super) of_a_part: bool,
}

/// What else the sentence says.
pub(super) struct Cues {
    /// Its words, in lower case.
    pub(super) words: String,
    /// Data types that it names.
    pub(super) types: Vec<String>,
}

impl Cues {
    fn say(&self, stems: &[&str]) -> bool {
        stems.iter().any(|stem| self.words.contains(stem))
    }
}

/// How a figure and a number go together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fit {
    Exact,
    Rounded(&'static str),
    /// True, and far from it.
    Far,
    No,
}

const UNMAPPED: [&str; 14] = [
    "unmapped",
    "not assigned",
    "unassigned",
    "be identified",
    "unidentified",
    "not known",
    "zugeordnet",
    "unbekannt",
    "attribu",
    "asignad",
    "inconnu",
    "desconocid",
    "帰属",
    "不明",
];
const CONFLICT: [&str; 6] = ["conflict", "several", "dispute", "widerspr", "conflit", "conflicto"];
const CONTACT: [&str; 7] = ["contact", "reach", "kontakt", "ansprech", "erreich", "joindre", "連絡"];
const TOLD: [&str; 22] = [
    "told",
    "notif",
    "inform",
    "notice",
    "written to",
    "contacted",
    "sent",
    "benachrichtig",
    "mitteilung",
    "unterrichte",
    "avis",
    "prévenu",
    "aviso",
    "avisad",
    "comunic",
    "envi",
    "通知",
    "連絡",
    "送付",
    "versand",
    "accepted",
    "informé",
];
const UNTYPED: [&str; 9] =
    ["not known", "unknown", "no type", "without", "nicht bekannt", "unbekannt", "inconnu", "desconoc", "不明"];
const SHARED: [&str; 7] = ["free mail", "freemail", "free-mail", "webmail", "shared", "gratuit", "gratuito"];

/// Parts of words by which persons are those of the incident.
const CONCERNED: [&str; 19] = [
    "affect",
    "concern",
    "expos",
    "subject",
    "named",
    "leak",
    "touch",
    "betroff",
    "genannt",
    "offen",
    "afectad",
    "interesad",
    "nombrad",
    "filtrad",
    "影響",
    "対象",
    "個人",
    "公開",
    "漏",
];

/// The figures that a thing can mean in its sentence, the plainest first.
pub(super) fn names(thing: &Thing, cues: &Cues) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |list: &[&str]| names.extend(list.iter().map(|name| (*name).to_owned()));
    match thing {
        Thing::Objects => {
            add(&["objects"]);
            if cues.say(&UNTYPED) {
                add(&["objects_without_data_type"]);
            }
            if cues.say(&CONFLICT) {
                add(&["objects_in_dispute"]);
            }
        }
        Thing::Records => add(&["objects", "organisation_rows", "rows"]),
        Thing::Organisations | Thing::Domains => {
            add(&["organisations"]);
            if *thing == Thing::Organisations {
                add(&["tenants_affected"]);
            }
            if cues.say(&UNMAPPED) {
                add(&["unmapped_organisations"]);
            }
            if cues.say(&CONFLICT) {
                add(&["conflicting_organisations"]);
            }
            if cues.say(&CONTACT) {
                add(&["tenants_without_contact", "notices_to_write"]);
            }
            if cues.say(&TOLD) {
                add(&["notices_to_write", "organisations_told"]);
            }
        }
        Thing::Notices => add(&["notices_to_write", "organisations_told"]),
        Thing::Emails => {
            add(&["emails"]);
            if cues.say(&SHARED) {
                add(&["shared_addresses"]);
            }
        }
        Thing::Addresses => add(&["emails", "type:postal_address", "type:ip_address", "type:email_address"]),
        Thing::Persons => add(&["emails", "users"]),
        Thing::Users => add(&["users"]),
        Thing::Projects => add(&["projects"]),
        Thing::References => add(&["organisation_rows", "rows", "accepted_rows"]),
        Thing::Type(id) if id == BYTES => add(&["bytes"]),
        Thing::Type(id) => names.push(format!("type:{id}")),
        Thing::Other(_) => {}
    }
    let counts_objects =
        matches!(thing, Thing::Objects | Thing::Records | Thing::Type(_)) && !names.iter().any(|name| name == "bytes");
    if counts_objects {
        for id in &cues.types {
            let name = format!("type:{id}");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn value(name: &str, facts: &Facts) -> Option<i64> {
    match name.strip_prefix("type:") {
        Some(id) => Some(facts.types.iter().find(|(there, _)| there == id).map_or(0, |(_, objects)| *objects)),
        None => facts.figure(name),
    }
}

/// What is said of a number; none: it is not of the incident at all.
pub(super) fn judge(said: &Said<'_>, thing: Option<&Thing>, cues: &Cues, facts: &Facts) -> Option<Judged> {
    let thing = match thing {
        Some(Thing::Other(what)) => {
            return Some(Judged::new(Verdict::CannotTell, "", format!("{what}: no fact is one")));
        }
        None if said.number.scaled || said.bound != Bound::Exactly => {
            let any = rounded_to_any(said, facts);
            return any
                .or_else(|| Some(Judged::new(Verdict::CannotTell, "", "no figure of the incident is this number")));
        }
        None => return figures::unnamed(said.number, facts),
        Some(thing) => thing,
    };
    if !said.number.counts() {
        return Some(Judged::new(Verdict::CannotTell, "", "a fraction counts nothing"));
    }
    let mut known: Vec<(String, i64)> =
        names(thing, cues).into_iter().filter_map(|name| value(&name, facts).map(|value| (name, value))).collect();
    // Addresses of a sort that nobody has are not what is counted: any bound would be true of them.
    if *thing == Thing::Addresses && known.len() > 1 {
        known.retain(|(name, value)| *value > 0 || !name.starts_with("type:"));
    }
    let fits: Vec<(&str, i64, Fit)> =
        known.iter().map(|(name, value)| (name.as_str(), *value, fit(said, *value))).collect();
    if *thing == Thing::Persons && !cues.say(&CONCERNED) && fits.iter().all(|(_, _, fit)| *fit == Fit::No) {
        return Some(Judged::new(Verdict::CannotTell, "", "these may be other persons"));
    }
    Some(fitting(&fits, facts).unwrap_or_else(|| otherwise(said, &fits, facts)))
}

/// Of the facts that it fits, the one that it fits best; exactly before rounded, told before withheld.
fn fitting(fits: &[(&str, i64, Fit)], facts: &Facts) -> Option<Judged> {
    let rank = |(name, _, fit): &&(&str, i64, Fit)| (*fit != Fit::Exact, facts.hides(name));
    let fitting = fits.iter().filter(|(_, _, fit)| matches!(fit, Fit::Exact | Fit::Rounded(_)));
    let (name, value, fit) = fitting.min_by_key(rank)?;
    Some(match fit {
        _ if facts.hides(name) => withheld(name),
        Fit::Rounded(how) => Judged::new(Verdict::Rounds, *name, format!("{how}: the facts say {value}")),
        Fit::Exact | Fit::Far | Fit::No => Judged::new(Verdict::Agrees, *name, ""),
    })
}

/// A number that fits no fact.
fn otherwise(said: &Said<'_>, fits: &[(&str, i64, Fit)], facts: &Facts) -> Judged {
    let Some((name, value, _)) = fits.first() else {
        return Judged::new(Verdict::CannotTell, "", "no fact counts this");
    };
    if said.of_a_part {
        return Judged::new(Verdict::CannotTell, "", "a part of them: no fact counts it");
    }
    if facts.hides(name) {
        let detail = format!("this is not the figure, and {name} is withheld from everybody");
        return Judged::new(Verdict::Contradicts, *name, detail);
    }
    if fits.iter().any(|(_, _, fit)| *fit == Fit::Far) {
        return Judged::new(Verdict::CannotTell, *name, format!("true, and far from what the facts say: {value}"));
    }
    let told = fits.iter().take(2).filter(|(name, ..)| !facts.hides(name));
    let told: Vec<String> = told.map(|(name, value, _)| format!("{name} {value}")).collect();
    Judged::new(Verdict::Contradicts, *name, format!("the facts say {}", told.join(", ")))
}

fn withheld(name: &str) -> Judged {
    Judged::new(Verdict::Withheld, name, format!("{name} is withheld from everybody"))
}

/// A rounded number without a noun: whatever it can be.
fn rounded_to_any(said: &Said<'_>, facts: &Facts) -> Option<Judged> {
    let fits =
        facts.figures.iter().filter(|(_, value)| *value >= 100).filter_map(|(name, value)| match fit(said, *value) {
            Fit::Exact => Some((name, value, "exactly")),
            Fit::Rounded(how) => Some((name, value, how)),
            Fit::Far | Fit::No => None,
        });
    let (name, value, how) = fits.min_by_key(|(name, ..)| facts.hides(name))?;
    Some(match facts.hides(name) {
        true => withheld(name),
        false => Judged::new(Verdict::Rounds, name.as_str(), format!("{how}, {IF_MEANT}: the facts say {value}")),
    })
}

fn fit(said: &Said<'_>, value: i64) -> Fit {
    let real = i128::from(value);
    if let Some(until) = said.until {
        let low = said.number.readings.iter().map(|reading| reading.value).min();
        let high = until.readings.iter().map(|reading| reading.value).max();
        return match (low, high) {
            (Some(low), Some(high)) if (low..=high).contains(&real) => Fit::Rounded("between these two"),
            _ => Fit::No,
        };
    }
    let fits: Vec<Fit> = said.number.readings.iter().map(|reading| fits(said, reading, real)).collect();
    let best = |wanted: fn(&Fit) -> bool| fits.iter().find(|fit| wanted(fit)).cloned();
    best(|fit| *fit == Fit::Exact)
        .or_else(|| best(|fit| matches!(fit, Fit::Rounded(_))))
        .or_else(|| best(|fit| *fit == Fit::Far))
        .unwrap_or(Fit::No)
}

fn fits(said: &Said<'_>, reading: &Reading, real: i128) -> Fit {
    let number = reading.value;
    if reading.unit == 0 {
        return Fit::No;
    }
    if number == real {
        return Fit::Exact;
    }
    let rounds = said.number.scaled || said.bound != Bound::Exactly;
    // Round figures at the end say how far a plain number is rounded.
    let unit = if reading.unit > 1 { reading.unit } else { zeros(number) };
    let nearest = (number - real).abs() * 2 <= unit;
    let cut = (0..unit).contains(&(real - number));
    let near = (number - real).abs() * NEAR <= real.abs();
    match said.bound {
        Bound::AtLeast if number > real => Fit::No,
        Bound::AtLeast if near => Fit::Rounded("more than"),
        Bound::AtMost if number < real => Fit::No,
        Bound::AtMost if near => Fit::Rounded("less than"),
        Bound::AtLeast | Bound::AtMost => Fit::Far,
        Bound::Exactly | Bound::About if rounds && near && nearest => Fit::Rounded("rounded"),
        Bound::Exactly | Bound::About if rounds && near && cut => Fit::Rounded("cut off"),
        Bound::Exactly | Bound::About => Fit::No,
    }
}

/// The largest power of ten that divides a number.
fn zeros(number: i128) -> i128 {
    let mut unit = 1;
    while number != 0 && number % (unit * 10) == 0 {
        unit *= 10;
    }
    unit
}
