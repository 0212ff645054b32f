//! Whether a notice fulfils an obligation: what is missing, empty, forbidden, late, and what a person has to decide.
//!
//! Does not decide what only a person can (conditions, thresholds): it asks. Invariant: every check gives at least one
//! finding, and [`Kind::Ok`] exactly where no finding refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ClockEvent, DELAY_REASON, DayCount, Filled, Law, Obligation, State};
use crate::calendar::Considered;
use crate::time::Timestamp;
use crate::withholding::Withheld;

/// When the notice is, or was, given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The organisation was told then, for the first time.
    At(Timestamp),
    /// It was not told yet, and this is now.
    NotYet(Timestamp),
}

/// What is known of the incident beside the notice.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When the exposure was discovered.
    pub discovered_at: Timestamp,
    /// What was recorded, the last record of each.
    pub events: BTreeMap<ClockEvent, Timestamp>,
    /// When the organisation was told.
    pub told: Told,
    /// What the notice says of the facts that it withholds.
    pub withheld: Vec<Withheld>,
}

/// What is said of one obligation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Which kind.
    #[serde(rename = "finding")]
    pub kind: Kind,
    /// The element it is about; `None`: the obligation as a whole.
    pub element: Option<String>,
    /// A sentence for people.
    pub detail: String,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing refuses.
    Ok,
    /// No block says a required element.
    Missing,
    /// A block for a required element says nothing for this organisation.
    Empty,
    /// A block for a required element says that it is withheld.
    Withheld,
    /// The notice says what it must not.
    Forbidden,
    /// The time is over, and the notice does not say why.
    LateUnexplained,
    /// The time is over, and the notice says why.
    LateExplained,
    /// A person has to say whether a condition holds.
    Conditional,
    /// Guidance or usage asks for more than the law.
    Recommended,
    /// It was not law when the incident was discovered.
    NotInForce,
    /// What the notice says is not known: it was written before that was recorded.
    Unknown,
}

impl Kind {
    /// Its name in tables; both kinds of late have one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Withheld => "withheld",
            Self::Forbidden => "forbidden",
            Self::LateUnexplained | Self::LateExplained => "late",
            Self::Conditional => "conditional",
            Self::Recommended => "recommended",
            Self::NotInForce => "not-in-force",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the notice should not go out like this.
    pub fn refuses(self) -> bool {
        match self {
            Self::Missing | Self::Empty | Self::Withheld | Self::Forbidden | Self::LateUnexplained | Self::Unknown => {
                true
            }
            Self::Ok | Self::LateExplained | Self::Conditional | Self::Recommended | Self::NotInForce => false,
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Finding {
    /// A finding about the obligation as a whole.
    pub fn whole(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, element: None, detail: detail.into() }
    }

    fn of(kind: Kind, element: &str, detail: String) -> Self {
        Self { kind, element: Some(element.to_owned()), detail }
    }
}

/// The clock of an obligation in an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// The law names no figure.
    NoFigure,
    /// This event was not recorded, and nothing can stand for it.
    NotStarted(ClockEvent),
    /// It ends then.
    Ends {
        /// When.
        due: Timestamp,
        /// What started it.
        trigger: ClockEvent,
        /// When that was.
        from: Timestamp,
        /// Whether the event was recorded, or follows from the discovery.
        recorded: Recorded,
        /// Whether holidays were left out, where business days count.
        holidays: Considered,
    },
}

impl Clock {
    /// When it ends; none: it does not, or does not run.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Ends { due, .. } => Some(*due),
            Self::NoFigure | Self::NotStarted(_) => None,
        }
    }
}

/// Where the time of an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Somebody recorded it.
    Yes,
    /// It follows from the discovery.
    FromDiscovery,
}

impl Facts {
    /// When an event was. What is not recorded is taken from the discovery where that is the earliest it can have been, or
    /// where it follows from it.
    pub fn time_of(&self, event: ClockEvent) -> Option<(Timestamp, Recorded)> {
        if let Some(at) = self.events.get(&event) {
            return Some((*at, Recorded::Yes));
        }
        match event {
            ClockEvent::Aware
            | ClockEvent::Noticed
            | ClockEvent::Discovered
            | ClockEvent::DiscoveredOrNotified
            | ClockEvent::ReasonableGrounds => Some((self.discovered_at, Recorded::FromDiscovery)),
            ClockEvent::YearEnd => {
                let discovered = self.events.get(&ClockEvent::Discovered).copied().unwrap_or(self.discovered_at);
                Some((super::span::year_end(discovered), Recorded::FromDiscovery))
            }
            ClockEvent::Suspected
            | ClockEvent::DeterminedBreach
            | ClockEvent::DeterminedNotifiable
            | ClockEvent::DeterminedMaterial
            | ClockEvent::ClassifiedMajor
            | ClockEvent::PriorStageSubmitted
            | ClockEvent::PersonsNotified
            | ClockEvent::CorrectiveMeasureAvailable
            | ClockEvent::Requested => None,
        }
    }

    /// The clock of an obligation: of two, the one that ends first.
    pub fn clock(&self, obligation: &Obligation) -> Clock {
        let Some((span, count)) = obligation.deadline.zip(obligation.day_count) else { return Clock::NoFigure };
        let limit = obligation.outer_limit.as_ref();
        let clocks =
            [Some((obligation.trigger, span, count)), limit.map(|one| (one.trigger, one.deadline, DayCount::Calendar))];
        let running = clocks.into_iter().flatten().filter_map(|(trigger, span, count)| {
            let (from, recorded) = self.time_of(trigger)?;
            let (due, holidays) = span.after(from, count, obligation.holidays());
            Some(Clock::Ends { due, trigger, from, recorded, holidays })
        });
        match running.min_by_key(Clock::due) {
            Some(clock) => clock,
            None => Clock::NotStarted(obligation.trigger),
        }
    }
}

impl Law {
    /// What is to be said of an obligation and a notice: first what refuses, then what a person has to decide.
    pub fn check(&self, obligation: &Obligation, filled: &Filled, facts: &Facts) -> Vec<Finding> {
        if !obligation.in_force(facts.discovered_at) {
            let detail = format!(
                "{}; the incident was discovered on {}",
                obligation.effective(),
                super::Day::of(facts.discovered_at)
            );
            return vec![Finding::whole(Kind::NotInForce, detail)];
        }
        let mut findings = Vec::new();
        findings.extend(obligation.elements.iter().filter_map(|id| self.required(id, filled, facts)));
        findings.extend(obligation.forbidden_elements.iter().filter_map(|id| self.forbidden(id, filled)));
        findings.extend(self.clock(obligation, filled, facts));
        if !findings.iter().any(|finding| finding.kind.refuses()) {
            let detail = match obligation.elements.len() {
                0 => "the law prescribes no content".to_owned(),
                1 => "the required element is there".to_owned(),
                count => format!("all {count} required elements are there"),
            };
            findings.insert(0, Finding::whole(Kind::Ok, detail));
        }
        findings.extend(self.conditions(obligation, filled));
        let recommended = obligation.recommended_elements.iter().filter(|id| !obligation.elements.contains(id));
        findings.extend(recommended.filter(|id| filled.state(id) != State::Filled).map(|id| {
            Finding::of(Kind::Recommended, id, format!("not required, but recommended: {}", self.meaning(id)))
        }));
        findings
    }

    fn meaning(&self, element: &str) -> &str {
        self.element(element).map_or("", |element| &element.meaning)
    }

    fn required(&self, element: &str, filled: &Filled, facts: &Facts) -> Option<Finding> {
        let meaning = self.meaning(element);
        match filled.state(element) {
            State::Filled => None,
            State::Missing(languages) => {
                let detail = format!("the notice{} has no place for this: {meaning}", filled.where_not_all(&languages));
                Some(Finding::of(Kind::Missing, element, detail))
            }
            State::Empty(languages) => {
                let detail =
                    format!("the place for this is empty in the notice{}: {meaning}", filled.where_not_all(&languages));
                Some(Finding::of(Kind::Empty, element, detail))
            }
            State::Withheld(names) => {
                let why = withheld_why(&names, &facts.withheld);
                Some(Finding::of(Kind::Withheld, element, format!("{why}; this obligation wants it: {meaning}")))
            }
        }
    }

    fn forbidden(&self, element: &str, filled: &Filled) -> Option<Finding> {
        let languages = filled.said_in(element);
        let detail =
            || format!("the notice{} must not say this: {}", filled.where_not_all(&languages), self.meaning(element));
        if languages.is_empty() { None } else { Some(Finding::of(Kind::Forbidden, element, detail())) }
    }

    fn clock(&self, obligation: &Obligation, filled: &Filled, facts: &Facts) -> Option<Finding> {
        let (due, trigger, from, recorded, holidays) = match facts.clock(obligation) {
            Clock::NoFigure => return None,
            Clock::NotStarted(event) => {
                let detail = format!(
                    "when was `{event}`? Until that event is recorded, nobody can say whether the notice is late. {}",
                    self.event(event)
                );
                return Some(Finding::whole(Kind::Conditional, detail));
            }
            Clock::Ends { due, trigger, from, recorded, holidays } => (due, trigger, from, recorded, holidays),
        };
        let (at, words) = match facts.told {
            Told::At(at) => (at, format!("and the organisation was told at {at}")),
            Told::NotYet(now) => (now, "and the organisation was not told yet".to_owned()),
        };
        if at <= due {
            return None;
        }
        let assumed = match recorded {
            Recorded::Yes => "",
            Recorded::FromDiscovery => ", taken from the discovery",
        };
        let mut detail = format!(
            "the time was over at {due} ({}, counted from `{trigger}` at {from}{assumed}), {words}",
            obligation.deadline_words
        );
        if holidays != Considered::All {
            detail.push_str(&format!("; {holidays}"));
        }
        if let Some(allowed) = &obligation.delay_allowed {
            detail.push_str(&format!("; a delay may be allowed: {allowed}"));
        }
        if filled.state(DELAY_REASON) == State::Filled {
            detail.push_str("; the notice says why");
            return Some(Finding::of(Kind::LateExplained, DELAY_REASON, detail));
        }
        detail.push_str(&format!("; so the notice has to say: {}", self.meaning(DELAY_REASON)));
        Some(Finding::of(Kind::LateUnexplained, DELAY_REASON, detail))
    }

    /// What only a person can decide. Reasons for a delay are no question where a clock decides.
    fn conditions(&self, obligation: &Obligation, filled: &Filled) -> Vec<Finding> {
        let mut asked = Vec::new();
        if let Some(threshold) = &obligation.threshold {
            let detail = format!("does this obligation apply? Only where: {threshold}");
            asked.push(Finding::whole(Kind::Conditional, detail));
        }
        for variant in &obligation.variants {
            let detail = format!("is this so: {}? Then the term is {}", variant.when, variant.deadline);
            asked.push(Finding::whole(Kind::Conditional, detail));
        }
        for one in &obligation.conditional_elements {
            let decided = one.element == DELAY_REASON && obligation.deadline.is_some();
            if decided || filled.state(&one.element) == State::Filled {
                continue;
            }
            let detail =
                format!("is this so: {}? Then the notice has to say: {}", one.when, self.meaning(&one.element));
            asked.push(Finding::of(Kind::Conditional, &one.element, detail));
        }
        asked
    }
}

/// `emails withheld until 2099-01-01T00:00:00Z because the police asked us to wait`, for each of these facts.
fn withheld_why(names: &BTreeSet<String>, reasons: &[Withheld]) -> String {
    let of = |name: &String| {
        let signed = reasons.iter().filter(|one| one.fact == *name).map(|one| {
            let whose = one.domain.as_ref().map_or(String::new(), |domain| format!("{domain}/"));
            let why = one.why.trim().trim_end_matches('.');
            format!("{whose}{name} withheld until {} because {why}", one.review_at)
        });
        let signed: Vec<String> = signed.collect();
        if signed.is_empty() { format!("{name} withheld") } else { signed.join("; ") }
    };
    names.iter().map(of).collect::<Vec<_>>().join("; ")
}
