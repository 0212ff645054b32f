//! Ladders on paper: the times of policies, what acknowledgements and jumps do to them, and what is kept of them.

use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(hours * 3_600_000_000)
}

fn debt() -> Policy {
    Policies::default().get(PolicyName::Debt)
}

fn read(toml_like: &str) -> Result<Policy, serde_json::Error> {
    serde_json::from_str(toml_like)
}

fn times(policy: &Policy, events: &[Event]) -> Vec<(Timestamp, String)> {
    let ladder = Ladder { events, ..Ladder::untouched(policy, at(0), &NoCalendars) };
    ladder.schedule().into_iter().map(|due| (due.due_at, due.target.to_string())).collect()
}

fn hours(policy: &Policy, events: &[Event]) -> Vec<i64> {
    times(policy, events).into_iter().map(|(at, _)| at.micros() / 3_600_000_000).collect()
}

fn ack(hour: i64, by: &str, rung: i64, repeat: i64) -> Event {
    Event { at: at(hour), what: Deed::Acknowledge { rung, repeat, by: by.to_owned() } }
}

fn jump(hour: i64, rung: i64) -> Event {
    Event { at: at(hour), what: Deed::Jump { rung } }
}

#[test]
fn the_debt_ladder_climbs_after_24_72_and_168_hours() {
    let named = |hour, target: Target| (at(hour), target.to_string());
    let expected = [named(24, Target::Agent), named(72, Target::Lead), named(168, Target::Counsel)];
    assert_eq!(times(&debt(), &[]), expected);
}

#[test]
fn an_incident_that_was_opened_before_a_policy_was_there_has_the_built_in_one() {
    let kept = Policies(BTreeMap::new());
    assert_eq!(kept.get(PolicyName::Review), Policies::default().get(PolicyName::Review));
}

#[test]
fn an_acknowledgement_holds_what_would_fire_meanwhile_and_then_expires() {
    assert_eq!(hours(&debt(), &[ack(25, "ana", 1, 0)]), [24, 72, 168], "nothing was to fire within the day");
    assert_eq!(hours(&debt(), &[ack(71, "ana", 1, 0)]), [24, 95, 191], "the next rung waits, the distance stays");
}

#[test]
fn a_ladder_is_held_once_for_each_firing_however_often_it_is_acknowledged() {
    let once = [ack(60, "ana", 1, 0)];
    let often = [ack(60, "ana", 1, 0), ack(83, "ana", 1, 0), ack(83, "bob", 1, 0)];
    assert_eq!(hours(&debt(), &often), hours(&debt(), &once));
    assert_eq!(hours(&debt(), &[ack(60, "ana", 1, 0), ack(170, "ana", 2, 0)]), [24, 84, 194]);
}

#[test]
fn a_rung_that_needs_two_people_is_held_by_the_second() {
    let mut policy = debt();
    policy.rungs[0].acknowledgements = 2;
    assert_eq!(hours(&policy, &[ack(60, "ana", 1, 0), ack(61, "ana", 1, 0)]), [24, 72, 168]);
    assert_eq!(hours(&policy, &[ack(60, "ana", 1, 0), ack(70, "bob", 1, 0)]), [24, 94, 190]);
}

#[test]
fn a_jump_brings_a_rung_and_those_above_it_forward_and_takes_none_away() {
    assert_eq!(hours(&debt(), &[jump(5, 2)]), [5, 24, 101]);
    assert_eq!(times(&debt(), &[jump(5, 2)])[0].1, "lead");
    assert_eq!(hours(&debt(), &[jump(100, 2)]), [24, 72, 168], "what has fired does not fire again");
    assert_eq!(hours(&debt(), &[jump(5, 9)]), [24, 72, 168]);
    assert_eq!(hours(&debt(), &[ack(71, "ana", 1, 0), jump(80, 3)]), [24, 80, 95], "a jump is stronger than a hold");
}

#[test]
fn a_restart_measures_anew() {
    assert_eq!(hours(&debt(), &[Event { at: at(100), what: Deed::Restart }]), [124, 172, 268]);
}

/// Open from 9 to 17 each day.
struct Office;

impl BusinessTime for Office {
    fn after(&self, start: Timestamp, delay: Duration, calendar: &str) -> Option<Timestamp> {
        let (day, hour) = (24 * 3_600_000_000_i64, 3_600_000_000_i64);
        let (mut at, mut left) = (start.micros(), i64::try_from(delay.as_micros()).unwrap());
        loop {
            let (midnight, since) = (at - at.rem_euclid(day), at.rem_euclid(day));
            let begins = midnight + since.max(9 * hour);
            let open = (midnight + 17 * hour - begins).max(0);
            if open > 0 && left <= open {
                return (calendar == "office").then(|| Timestamp::from_micros(begins + left));
            }
            left -= open;
            at = midnight + day;
        }
    }
}

#[test]
fn office_hours_count_by_the_calendar_and_by_the_wall_where_it_is_gone() {
    let policy = read(
        r#"{"rungs": [{"after": "4h", "hours": "business", "calendar": "office", "targets": ["agent"], "repeats": 1, "repeat_hours": 8},
            {"after_hours": 30, "targets": ["lead"]}]}"#,
    )
    .unwrap();
    let due = |business: &dyn BusinessTime| -> Vec<i64> {
        let all = Ladder::untouched(&policy, at(15), business).schedule();
        all.into_iter().map(|due| due.due_at.micros() / 3_600_000_000).collect()
    };
    assert_eq!(due(&Office), [24 + 11, 24 + 21, 48 + 11]);
    assert_eq!(due(&NoCalendars), [19, 27, 45]);
    let ladder = Ladder { events: &[ack(16, "ana", 0, 0)], ..Ladder::untouched(&policy, at(15), &Office) };
    let held = ladder.schedule()[0].due_at;
    assert_eq!(held, at(24 + 16), "16 + 24 is in office hours");
}

#[test]
fn what_older_programs_kept_reads_back_and_what_they_know_is_written_as_they_write_it() {
    let old = r#"{"rungs":[{"after_hours":24,"targets":["agent"],"repeats":0,"repeat_hours":24},{"after_hours":72,"targets":["lead"],"repeats":0,"repeat_hours":24},{"after_hours":168,"targets":["counsel"],"repeats":0,"repeat_hours":24}]}"#;
    assert_eq!(read(old).unwrap(), debt());
    assert_eq!(serde_json::to_string(&debt()).unwrap(), old);
}

#[test]
fn every_form_of_a_rung_reads_back_equal() {
    let text = r#"{"rungs": [
        {"after": "30min", "targets": ["person:ana", "role:press", "rotation:night", "address:a@b.example", "webhook:chat"],
         "repeats": 2, "repeat_after": "90min", "acknowledgements": 2},
        {"after": "16h", "hours": "business", "calendar": "office", "targets": ["lead"]}], "acknowledged_for": "4h"}"#;
    let policy = read(text).unwrap();
    assert_eq!(read(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
}

#[test]
fn a_rung_that_cannot_be_understood_is_refused() {
    for (bad, says) in [
        (r#"{"targets": ["agent"]}"#, "needs after_hours"),
        (r#"{"after_hours": 1, "after": "1h", "targets": ["agent"]}"#, "keep one"),
        (r#"{"after": "a while", "targets": ["agent"]}"#, "no delay"),
        (r#"{"after": "99999w", "targets": ["agent"]}"#, "no delay"),
        (r#"{"after": "1h", "targets": ["nobody"]}"#, "no target"),
        (r#"{"after": "1h", "targets": ["address:nobody"]}"#, "no target"),
        (r#"{"after": "1h", "targets": ["person:"]}"#, "no target"),
        (r#"{"after": "1h", "targets": ["agent"], "hours": "business"}"#, "needs a calendar"),
        (r#"{"after": "2d", "targets": ["agent"], "hours": "business", "calendar": "x"}"#, "open hours"),
        (r#"{"after": "2h", "targets": ["agent"], "calendar": "x"}"#, "hours = \"business\""),
    ] {
        let error = serde_json::from_str::<Rung>(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{bad}: {error}");
    }
}

fn refused(policy: &str) -> BadPolicy {
    let policies = BTreeMap::from([("debt".to_owned(), read(policy).unwrap())]);
    Policies::default().replaced_by(policies, &NoCalendars).unwrap_err()
}

#[test]
fn a_bad_policy_is_refused_with_its_place() {
    let (name, rung) = ("debt".to_owned(), 1);
    assert_eq!(refused(r#"{"rungs": []}"#), BadPolicy::NoRungs(name.clone()));
    assert_eq!(
        refused(r#"{"rungs": [{"after_hours": 1, "targets": ["agent"], "acknowledgements": 0}]}"#),
        BadPolicy::NobodyEnough { name: name.clone(), rung }
    );
    assert_eq!(
        refused(r#"{"rungs": [{"after_hours": 1, "targets": ["agent"], "repeats": 1001}]}"#),
        BadPolicy::TooManyRepeats { name: name.clone(), rung }
    );
    assert_eq!(
        refused(r#"{"rungs": [{"after": "1h", "hours": "business", "calendar": "x", "targets": ["agent"]}]}"#),
        BadPolicy::NoCalendar { name: name.clone(), rung, calendar: "x".to_owned() }
    );
    assert_eq!(
        refused(r#"{"rungs": [{"after": "1h", "targets": ["agent"]}], "acknowledged_for": "15d"}"#),
        BadPolicy::LongHold { name: name.clone(), after: Delay::hours(15 * 24) }
    );
    assert_eq!(
        refused(r#"{"rungs": [{"after": "2h", "targets": ["agent"]}, {"after": "90min", "targets": ["lead"]}]}"#),
        BadPolicy::OutOfOrder { name, rung: 2, after: "90min".parse().unwrap() }
    );
    let unknown = BTreeMap::from([("dept".to_owned(), debt())]);
    let error = Policies::default().replaced_by(unknown, &NoCalendars);
    assert_eq!(error, Err(BadPolicy::UnknownName("dept".to_owned())));
}

#[test]
fn whoever_was_turned_to_by_the_old_ladder_is_not_turned_to_again_for_it() {
    let fired = [(1, 0, Target::Agent), (2, 0, Target::Lead)];
    let new = read(
        r#"{"rungs": [{"after": "12h", "targets": ["agent"], "repeats": 1}, {"after": "48h", "targets": ["lead", "counsel"]}]}"#,
    )
    .unwrap();
    let new = Ladder::untouched(&new, at(0), &NoCalendars).schedule();
    assert_eq!(carried(&fired, &new), [(1, 0, Target::Agent), (2, 0, Target::Lead)]);
    let left: Vec<Key> = new.iter().map(Due::key).filter(|key| !carried(&fired, &new).contains(key)).collect();
    assert_eq!(left, [(1, 1, Target::Agent), (2, 0, Target::Counsel)]);
}

#[derive(Debug, Clone)]
enum Step {
    Tick(i64),
    Acknowledge(i64, u8),
    Jump(i64, i64),
}

fn policy() -> impl Strategy<Value = Policy> {
    let rung = (0_u32..400, 0_u32..3, 1_u32..48, 1_u32..3);
    (proptest::collection::vec(rung, 1..5), 0_u32..72).prop_map(|(delays, hold)| {
        let mut rungs: Vec<Rung> = delays
            .into_iter()
            .map(|(after, repeats, pause, acknowledgements)| Rung {
                repeats,
                pause: Delay::hours(pause),
                acknowledgements,
                ..Rung::after(Delay::hours(after), &[Target::Agent, Target::Lead])
            })
            .collect();
        rungs.sort_by_key(|rung| rung.after);
        Policy { rungs, acknowledged_for: Delay::hours(hold) }
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_i64..1_000).prop_map(Step::Tick),
        2 => (0_i64..1_000, 0_u8..3).prop_map(|(at, who)| Step::Acknowledge(at, who)),
        1 => (0_i64..1_000, 1_i64..6).prop_map(|(at, rung)| Step::Jump(at, rung)),
    ];
    proptest::collection::vec(step, 1..30)
}

/// Climbs as the engine does; what fired, and what people did.
fn climb(policy: &Policy, steps: &[Step]) -> (Vec<Key>, Vec<Event>) {
    let (mut fired, mut events): (Vec<Key>, Vec<Event>) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Tick(hour) => {
                let ladder = Ladder { events: &events, ..Ladder::untouched(policy, at(0), &NoCalendars) };
                fired.extend(ladder.due(at(*hour), &fired).0.iter().map(Due::key));
            }
            Step::Acknowledge(hour, who) => {
                if let Some((rung, repeat, _)) = fired.last() {
                    events.push(ack(*hour, &who.to_string(), *rung, *repeat));
                }
            }
            Step::Jump(hour, rung) => events.push(jump(*hour, *rung)),
        }
    }
    (fired, events)
}

proptest! {
    /// Ticks at any times, doubled, late or stepping back, fire what one tick at the latest of them fires.
    #[test]
    fn any_ticks_fire_what_one_late_tick_fires(policy in policy(), ticks in proptest::collection::vec(0_i64..1_000, 1..30)) {
        let steps: Vec<Step> = ticks.iter().copied().map(Step::Tick).collect();
        let (mut fired, _) = climb(&policy, &steps);
        let latest = at(ticks.iter().copied().max().unwrap_or(0));
        let ladder = Ladder::untouched(&policy, at(0), &NoCalendars);
        let mut once: Vec<Key> = ladder.due(latest, &[]).0.iter().map(Due::key).collect();
        fired.sort();
        once.sort();
        prop_assert_eq!(fired, once);
    }

    /// Whatever people do, in whatever order, each rung, repeat and target fires once in the end: none twice, none never.
    #[test]
    fn acknowledgements_and_jumps_take_nothing_away_and_double_nothing(policy in policy(), steps in steps()) {
        let late = steps.iter().cloned().chain([Step::Tick(1_000_000)]);
        let (mut fired, _) = climb(&policy, &late.collect::<Vec<_>>());
        let ladder = Ladder::untouched(&policy, at(0), &NoCalendars);
        let mut all: Vec<Key> = ladder.schedule().iter().map(Due::key).collect();
        fired.sort();
        all.sort();
        prop_assert_eq!(fired, all);
    }

    /// The times follow from what was done, not from the order in which it was written down.
    #[test]
    fn the_order_of_events_in_the_store_changes_no_time(policy in policy(), steps in steps()) {
        let (_, mut events) = climb(&policy, &steps);
        let forward = times(&policy, &events);
        events.reverse();
        prop_assert_eq!(times(&policy, &events), forward);
    }

    /// Acknowledgements never hold a ladder for longer than once for each firing.
    #[test]
    fn no_number_of_acknowledgements_keeps_a_ladder_still_for_ever(policy in policy(), steps in steps()) {
        let (_, events) = climb(&policy, &steps);
        let acknowledged: Vec<Event> =
            events.into_iter().filter(|event| matches!(event.what, Deed::Acknowledge { .. })).collect();
        let plain = Ladder::untouched(&policy, at(0), &NoCalendars).schedule();
        let places: u32 = policy.rungs.iter().map(|rung| rung.repeats + 1).sum();
        let longest = policy.acknowledged_for.span() * places;
        let held = Ladder { events: &acknowledged, ..Ladder::untouched(&policy, at(0), &NoCalendars) }.schedule();
        for due in held {
            let before = plain.iter().find(|one| one.key() == due.key()).unwrap().due_at;
            prop_assert!(before <= due.due_at && due.due_at <= before.plus(longest));
        }
    }
}
