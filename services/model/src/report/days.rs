//! The days of a sentence: which event each is of, and whether that was the day.
//!
//! Two cues decide: words of a discovery, and words of what documents are dated. A day beside neither agrees where any
//! fact has it, and is left to a person otherwise.

use super::dates::Date;
use super::text::{Sentence, What, lower};
use super::{Facts, Finding, Judged, Of, PERIOD, Verdict};

/// Parts of words that tell of the discovery.
const DISCOVERY: [&str; 22] = [
    "discover",
    "became aware",
    "learned of",
    "learnt of",
    "first noticed",
    "came to light",
    "entdeck",
    "festgestellt",
    "bemerkt",
    "bekannt geworden",
    "descubr",
    "descubier",
    "detect",
    "detekt",
    "tuvimos conocimiento",
    "découv",
    "constat",
    "détect",
    "pris connaissance",
    "発見",
    "検知",
    "判明",
];
/// Parts of words that tell of something else that happened.
const OTHER: [&str; 34] = [
    "contain",
    "closed",
    "fixed",
    "clos",
    "report",
    "notif",
    "told",
    "inform",
    "publish",
    "secured",
    "stopped",
    "next update",
    "write again",
    "behoben",
    "geschlossen",
    "gemeldet",
    "benachrichtig",
    "veröffentlich",
    "mitgeteilt",
    "corrig",
    "fermé",
    "signalé",
    "publié",
    "informé",
    "cerrad",
    "notific",
    "publicad",
    "corregid",
    "封鎖",
    "公表",
    "報告",
    "通知",
    "対応",
    "遮断",
];
/// Parts of words that tell of what documents are dated.
const DATED: [&str; 22] = [
    "dated",
    "date from",
    "dating",
    "dates from",
    "documents of",
    "documents are of",
    "document dates",
    "files of",
    "files from",
    "documents from",
    "datier",
    "stammen",
    "dokumente aus",
    "datan",
    "fechad",
    "fechas de los documentos",
    "datent",
    "datés",
    "datées",
    "dates des documents",
    "日付",
    "作成された文書",
];

/// Each day of a sentence.
pub(super) fn check(sentence: &Sentence<'_>, facts: &Facts, findings: &mut Vec<(usize, Finding)>) {
    let days = sentence.tokens.iter().filter(|token| matches!(token.what, What::Day(_))).count();
    let whole = sentence.lower();
    for (at, token) in sentence.tokens.iter().enumerate() {
        let What::Day(dates) = &token.what else { continue };
        let clause = clause(sentence, at);
        let cue = |cues: &[&str]| {
            let here = cues.iter().any(|cue| clause.contains(cue));
            here || (days == 1 && cues.iter().any(|cue| whole.contains(cue)))
        };
        let here = |cues: &[&str]| cues.iter().any(|cue| clause.contains(cue));
        let of_discovery = here(&DISCOVERY) || (cue(&DISCOVERY) && !here(&OTHER));
        let Judged { verdict, fact, detail } = match () {
            () if of_discovery => discovery(dates, facts),
            () if cue(&DATED) && !here(&OTHER) => document(dates, facts),
            () => any(dates, facts),
        };
        let said = sentence.said(token, token);
        findings.push((token.at, Finding { line: token.line, finding: verdict, said, of: Of::Day, fact, detail }));
    }
}

/// The words around a day, up to a mark or another day.
fn clause(sentence: &Sentence<'_>, at: usize) -> String {
    let ends = |at: &usize| match &sentence.tokens[*at].what {
        What::Mark(mark) => matches!(mark, ',' | ';' | '、' | '–' | '—'),
        What::Day(_) => true,
        What::Word(word) => ["and", "und", "et", "y"].contains(&word.as_str()),
        What::Number(_) | What::Name | What::Stop => false,
    };
    let from = (0..at).rev().find(ends).map_or(0, |end| end + 1);
    let to = (at + 1..sentence.tokens.len()).find(ends).unwrap_or(sentence.tokens.len());
    lower(&sentence.tokens[from..to])
}

fn is(dates: &[Date], day: &str) -> bool {
    dates.iter().any(|date| date.is(day))
}

fn discovery(dates: &[Date], facts: &Facts) -> Judged {
    // Some tables call the same event by another name.
    let event =
        |name: &str| ["aware", "noticed", "discovered", "discovered_or_notified", "reasonable_grounds"].contains(&name);
    let recorded = facts.dates.iter().find(|(name, day)| event(name) && is(dates, day));
    match recorded {
        _ if is(dates, &facts.discovered) => Judged::new(Verdict::Agrees, "discovered", ""),
        Some((name, _)) => Judged::new(Verdict::Agrees, name.as_str(), ""),
        None => {
            let detail = format!("the facts say that it was discovered on {}", facts.discovered);
            Judged::new(Verdict::Contradicts, "discovered", detail)
        }
    }
}

fn document(dates: &[Date], facts: &Facts) -> Judged {
    let of_facts = any(dates, facts);
    if of_facts.verdict != Verdict::CannotTell {
        return of_facts;
    }
    let bound = |name: &str| facts.dates.iter().find(|(there, _)| there == name).map(|(_, day)| day.as_str());
    let (Some(first), Some(last)) = (bound(PERIOD[0]), bound(PERIOD[1])) else { return of_facts };
    let outside = dates.iter().all(|date| date.is_outside(first, last));
    match (outside, facts.hides("period")) {
        (true, false) => {
            let detail = format!("the facts say that the documents are of {first} to {last}");
            Judged::new(Verdict::Contradicts, "period", detail)
        }
        (_, _) => of_facts,
    }
}

fn any(dates: &[Date], facts: &Facts) -> Judged {
    if is(dates, &facts.discovered) {
        return Judged::new(Verdict::Agrees, "discovered", "");
    }
    let hidden = |name: &str| PERIOD.contains(&name) && facts.hides("period");
    let found = facts.dates.iter().filter(|(_, day)| is(dates, day)).min_by_key(|(name, _)| hidden(name));
    match found {
        Some((name, _)) if hidden(name) => {
            Judged::new(Verdict::Withheld, "period", "the dates of the documents are withheld from everybody")
        }
        Some((name, _)) => Judged::new(Verdict::Agrees, name.as_str(), ""),
        None => {
            let known: Vec<String> = facts
                .dates
                .iter()
                .filter(|(name, _)| !hidden(name))
                .map(|(name, day)| format!("{name} {day}"))
                .collect();
            let known = [vec![format!("discovered {}", facts.discovered)], known].concat();
            Judged::new(Verdict::CannotTell, "", format!("no fact has this day; known are {}", known.join(", ")))
        }
    }
}
