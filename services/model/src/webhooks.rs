//! What other programs are told as it happens, and when a call that was not taken is made again.
//!
//! Calls nobody and signs nothing. Invariant: an event has no place for a fact of an organisation or a word of a mail: it
//! holds ids, names of policies, times, and a link.

use std::time::Duration;

use serde::Serialize;

use crate::delivery::named;
use crate::time::Timestamp;

named! {
    /// What happened.
    EventKind {
        /// A rung of a ladder fired for one target.
        Fired = "escalation.fired",
        /// Somebody took note of what a ladder fired.
        Acknowledged = "escalation.acknowledged",
        /// A ladder that had fired has ended: its reason is gone.
        Ended = "escalation.ended",
        /// Somebody at an organisation asked something.
        Question = "ticket.question",
        /// Nothing: somebody tries whether calls arrive.
        Test = "webhook.test",
    }
}

named! {
    /// Whose language a call is in.
    Preset {
        /// Our own: the event as it is.
        Standard = "standard",
        /// Slack, incoming webhooks.
        Slack = "slack",
        /// Mattermost, incoming webhooks.
        Mattermost = "mattermost",
        /// Microsoft Teams, a workflow that posts a card.
        Teams = "teams",
        /// Google Chat, incoming webhooks.
        GoogleChat = "google-chat",
        /// Discord, webhooks.
        Discord = "discord",
        /// PagerDuty, Events API v2.
        Pagerduty = "pagerduty",
        /// Opsgenie, and what took its interface over: the Alert API.
        Opsgenie = "opsgenie",
        /// Prometheus Alertmanager, API v2.
        Alertmanager = "alertmanager",
        /// ntfy.
        Ntfy = "ntfy",
    }
}

impl Preset {
    /// Whether it keeps an alert open until it hears that it is over: it is told of acknowledgements and ends whatever
    /// is asked for.
    pub fn keeps_alerts(self) -> bool {
        matches!(self, Self::Pagerduty | Self::Opsgenie | Self::Alertmanager)
    }
}

/// Whether `wanted`, a name of an event or what stands before its dot, asks for this one.
pub fn asks_for(wanted: &str, kind: EventKind) -> bool {
    let rest = kind.as_str().strip_prefix(wanted);
    !wanted.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What happened, as a receiver is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub timestamp: Timestamp,
    /// What about.
    pub data: EventData,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventData {
    /// The incident's slug; empty for a test.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub incident: String,
    /// The ticket; empty for a test.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ticket: String,
    /// The organisation's id in the directory.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// The ladder, for events of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Ladder>,
    /// Questions that were asked, for events of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<String>,
    /// Where staff read on; none where no console is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether it is a rehearsal.
    pub rehearsal: bool,
}

/// A ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ladder {
    /// `esc_…`: the same from its first rung to its end.
    pub id: String,
    /// The policy's name.
    pub policy: String,
    /// The rung that fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
    /// Who took note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}

/// A rung that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// From 1.
    pub number: i64,
    /// How often it has fired before.
    pub repeat: i64,
    /// Whom it turns to.
    pub target: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// When the ladder fires next; none = it is climbed to its end.
    pub next_at: Option<Timestamp>,
}

/// The pauses between tries. Source: the schedule that Standard Webhooks recommends; ten tries within three days and a
/// quarter.
const PAUSES: [u64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

/// The pause after so many tries, up to a tenth longer, as the id has it: many calls to one receiver that was away do
/// not come back at once. `None`: that was the last one.
pub fn pause(id: &str, tries: i64) -> Option<Duration> {
    let index = usize::try_from(tries).ok()?.checked_sub(1)?;
    let pause = Duration::from_secs(*PAUSES.get(index)?);
    let drawn = crate::digest::keyed(id.as_bytes(), &[&tries.to_be_bytes()])[0];
    Some(pause + pause.mul_f64(f64::from(drawn) / 2_560.0))
}

/// What one call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Accepted,
    /// It is made again at that time, by the real clock.
    Deferred(Timestamp),
    /// It is not made again.
    Failed,
    /// Nor is any other: the receiver says that nothing is there any more.
    Gone,
}

/// What an answer means: 2xx alone is taken, 410 ends the webhook, all else is tried again for some days. `wait` is what
/// the receiver asked for, an hour of it at most.
pub fn outcome(id: &str, status: Option<u16>, tries: i64, now: Timestamp, wait: Option<Duration>) -> Outcome {
    match status {
        Some(200..=299) => return Outcome::Accepted,
        Some(410) => return Outcome::Gone,
        Some(_) | None => {}
    }
    let asked = wait.unwrap_or_default().min(Duration::from_secs(3600));
    pause(id, tries).map_or(Outcome::Failed, |pause| Outcome::Deferred(now.plus(pause.max(asked))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_group_asks_for_all_of_its_events_and_a_name_for_one() {
        for (wanted, kind, expect) in [
            ("escalation", EventKind::Fired, true),
            ("escalation", EventKind::Ended, true),
            ("escalation.fired", EventKind::Fired, true),
            ("escalation.fired", EventKind::Ended, false),
            ("escal", EventKind::Fired, false),
            ("escalation.", EventKind::Fired, false),
            ("ticket", EventKind::Fired, false),
            ("", EventKind::Fired, false),
        ] {
            assert_eq!(asks_for(wanted, kind), expect, "{wanted} {kind}");
        }
    }

    #[test]
    fn ten_tries_are_made_within_three_to_four_days() {
        let all: Duration = (1..).map_while(|tries| pause("whm_1", tries)).sum();
        assert_eq!((1..).map_while(|tries| pause("whm_1", tries)).count(), 9);
        assert!((3 * 24 * 3600..4 * 24 * 3600).contains(&all.as_secs()), "{all:?}");
        assert_eq!(pause("whm_1", 0), None);
    }

    #[test]
    fn two_calls_that_failed_together_do_not_come_back_together() {
        assert_ne!(pause("whm_1", 3), pause("whm_2", 3));
    }

    #[test]
    fn only_2xx_is_taken_and_410_ends_it() {
        let now = Timestamp::from_micros(0);
        let check = |status, tries| outcome("whm_1", status, tries, now, None);
        assert_eq!([check(Some(200), 1), check(Some(204), 9)], [Outcome::Accepted, Outcome::Accepted]);
        assert_eq!(check(Some(410), 1), Outcome::Gone);
        for status in [None, Some(199), Some(302), Some(400), Some(404), Some(500)] {
            assert!(matches!(check(status, 1), Outcome::Deferred(_)), "{status:?}");
            assert_eq!(check(status, 10), Outcome::Failed, "{status:?}");
        }
    }

    proptest! {
        #[test]
        fn a_receiver_delays_a_call_by_an_hour_at_most(tries in 1_i64..10, seconds in 0_u64..u64::MAX / 2) {
            let now = Timestamp::from_micros(0);
            let wait = Some(Duration::from_secs(seconds));
            let plain = now.plus(pause("whm_1", tries).unwrap());
            let Outcome::Deferred(at) = outcome("whm_1", Some(503), tries, now, wait) else { panic!() };
            prop_assert!(at >= plain && at <= plain.max(now.plus(Duration::from_secs(3600))));
        }
    }
}
