//! A thousand tickets through five weeks that nobody works in: a leap day, two nights in which clocks change, workers that
//! are down, ticks that are missed, doubled and late, and clocks that step back.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use app::App;
use model::time::Timestamp;
use store::escalation::{Escalation, Firing};
use store::tickets::NewQuestion;
use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::at;
use crate::setup::{Clock, SLUG, Stage, path};

const TICKETS: usize = 1_000;
/// Of them, those in which somebody asks.
const ASKED: usize = 600;
const START: &str = "2028-02-24T09:00:00Z";
const DAYS: u64 = 36;
/// No worker runs between these hours after the start.
const DOWN: std::ops::Range<u64> = 96..144;
const LADDER: &str = r#"[policies.debt]
rungs = [
  { after_hours = 24, targets = ["agent"] },
  { after = "3d", targets = ["lead", "rotation:night"] },
  { after = "1w", targets = ["counsel"], repeats = 2, repeat_after = "1w" },
]
"#;
const CONFIGURATION: &str = "[people]\nana = \"ana@vendor.example\"\nbob = \"bob@vendor.example\"\n[rotations.night]\npeople = [\"ana\", \"bob\"]\nzone = \"Europe/Berlin\"\nhandover = \"02:30\"\nstart = \"2028-01-01\"\n";
/// Hours from the question to each firing of that ladder.
const DEBT: [(i64, i64, &str, u64); 6] = [
    (1, 0, "agent", 24),
    (2, 0, "lead", 72),
    (2, 0, "rotation:night", 72),
    (3, 0, "counsel", 168),
    (3, 1, "counsel", 336),
    (3, 2, "counsel", 504),
];
/// Hours from the accepted notice to each firing of the built-in ladder for silence.
const SILENCE: [(i64, i64, &str, u64); 3] =
    [(1, 0, "contact", 72), (2, 0, "next-contact", 168), (3, 0, "account-manager", 336)];

struct World {
    _stage: Stage,
    app: App,
    start: Timestamp,
    /// When each tick was, in their order.
    ticks: Vec<Timestamp>,
}

impl World {
    async fn new(backend: Backend) -> Self {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.small(TICKETS);
        let ladder = stage.file("ladders.toml", LADDER);
        at(&stage, START).ok(&["escalation", "policy", "set", SLUG, path(&ladder), "--why", "a long test"]);
        stage.release_at(&at(&stage, START));
        let recorder = Recorder::start().unwrap();
        at(&stage, START).sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "240"]);
        assert_eq!(recorder.messages().len(), TICKETS);
        let database = match stage.run.database() {
            None => store::Database::Sqlite(stage.run.folder().join("forthright.db")),
            Some(url) => store::Database::Postgres(url.to_owned()),
        };
        let start: Timestamp = START.parse().unwrap();
        let opening = app::Opening {
            database: &database,
            data: stage.run.folder(),
            master_key: None,
            now: Some(start),
            settings: toml::from_str(CONFIGURATION).unwrap(),
            actor: "ana".to_owned(),
        };
        let app = App::open(opening).await.unwrap();
        let world = Self { _stage: stage, app, start, ticks: Vec::new() };
        world.ask().await;
        world
    }

    /// Every thirteen minutes somebody asks.
    async fn ask(&self) {
        let tickets = app::tickets::list(&self.app, SLUG).await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        for (n, ticket) in tickets.iter().take(ASKED).enumerate() {
            let asked_at = self.start.plus(Duration::from_secs(600 + 13 * 60 * n as u64)).micros();
            let id = format!("qst_{n:05}");
            let question = NewQuestion {
                id: &id,
                ticket: &ticket.id,
                text: "Which?",
                asked_by: "sue",
                asked_at,
                inbound_id: None,
            };
            store::tickets::insert_question(&mut tx, &question).await.unwrap();
            store::tickets::set_inbound(&mut tx, &ticket.id, asked_at, "ours").await.unwrap();
        }
        tx.commit_ledger().await.unwrap();
    }

    fn set_minutes(&mut self, minutes: u64) -> Timestamp {
        let time = self.start.plus(Duration::from_secs(minutes * 60));
        self.app.clock = app::Clock::starting_at(Some(time));
        time
    }

    async fn tick(&mut self, minutes: u64) {
        let time = self.set_minutes(minutes);
        self.ticks.push(time);
        app::escalation::tick(&self.app).await.unwrap();
        assert!(!app::escalation::due(&self.app).await.unwrap(), "a tick leaves nothing that is due");
    }

    /// Two hosts tick at the same time.
    async fn tick_twice(&mut self, minutes: u64) {
        let time = self.set_minutes(minutes);
        self.ticks.push(time);
        let (one, other) = tokio::join!(app::escalation::tick(&self.app), app::escalation::tick(&self.app));
        one.unwrap();
        other.unwrap();
        assert!(!app::escalation::due(&self.app).await.unwrap(), "two ticks leave nothing that is due");
    }

    /// What a preview from here until then says is what then fires.
    async fn preview(&mut self, from: u64, until: u64) {
        self.set_minutes(from);
        let then = self.start.plus(Duration::from_secs(until * 60));
        let said: BTreeSet<_> =
            app::escalation::preview(&self.app, SLUG, then).await.unwrap().iter().map(line).collect();
        self.tick(until).await;
        let lines = app::escalation::list(&self.app, SLUG).await.unwrap();
        let fired: BTreeSet<_> =
            lines.iter().filter(|line| line.fired_at.is_some_and(|at| at >= then)).map(line).collect();
        assert!(!fired.is_empty(), "at {then} something fires");
        assert_eq!(said, fired, "until {then}");
    }

    async fn ladders(&self) -> (Vec<Escalation>, HashMap<String, Vec<Firing>>) {
        let mut conn = self.app.store.read().await.unwrap();
        let ladders = store::escalation::list(&mut conn, 1).await.unwrap();
        let mut firings: HashMap<String, Vec<Firing>> = HashMap::new();
        for firing in store::escalation::firings(&mut conn, 1).await.unwrap() {
            firings.entry(firing.escalation_id.clone()).or_default().push(firing);
        }
        (ladders, firings)
    }

    /// Every firing came at the first tick at or after its time.
    fn came_in_time(&self, firing: &Firing) {
        let due = Timestamp::from_micros(firing.due_at);
        let first = self.ticks.iter().find(|tick| **tick >= due).expect("a later tick");
        let late = Timestamp::from_micros(firing.fired_at).since(*first);
        assert!(firing.fired_at >= first.micros() && late < Duration::from_secs(600), "{firing:?}, not at {first}");
    }
}

/// What makes a line one, whether it has fired or not: the ladder may not have begun.
fn line(line: &app::escalation::Line) -> (String, String, i64, String, Timestamp) {
    (line.policy.clone(), line.ticket.clone(), line.rung, line.target.clone(), line.due_at)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_overdue_ticket_escalates_once_per_rung_and_repeat_and_none_closes() {
    for backend in Backend::each() {
        let mut world = World::new(backend).await;
        let mut touched: BTreeSet<String> = BTreeSet::new();
        let mut state = 20_280_229_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut minute = 0;
        let mut previews = 0;
        while minute < DAYS * 24 * 60 {
            minute += 60 + random(720);
            if DOWN.contains(&(minute / 60)) {
                continue;
            }
            match random(10) {
                // A clock that stepped back, and one that goes forward again.
                0 => world.tick(minute - 60).await,
                1 => world.tick(minute + 60).await,
                2 => world.tick_twice(minute).await,
                _ => world.tick(minute).await,
            }
            // After the workers were down, somebody takes care of some, and climbs others faster; and looks ahead.
            if minute > DOWN.end * 60 && previews < 3 {
                previews += 1;
                world.set_minutes(minute + 70);
                let (ladders, firings) = world.ladders().await;
                let running = ladders.iter().filter(|ladder| ladder.ended_at.is_none() && ladder.policy == "debt");
                for (n, ladder) in
                    running.filter(|ladder| firings.contains_key(&ladder.id)).enumerate().skip(previews).step_by(20)
                {
                    match n % 3 {
                        0 => drop(app::escalation::jump(&world.app, &ladder.id, 3, "the press has called").await),
                        _ => drop(app::escalation::acknowledge(&world.app, &ladder.id).await.unwrap()),
                    }
                    touched.insert(ladder.id.clone());
                }
                minute += 26 * 60;
                world.preview(minute - 25 * 60, minute).await;
            }
        }
        // Late enough for whatever was held.
        world.tick((DAYS + 10) * 24 * 60).await;
        let (mut ladders, firings) = world.ladders().await;
        // Where somebody asked, that for silence has ended.
        ladders.retain(|ladder| ladder.ended_at.is_none());
        assert_eq!(ladders.len(), TICKETS, "{backend:?}: one ladder for each ticket");
        assert!(touched.len() > 20, "{backend:?}: {}", touched.len());
        for ladder in &ladders {
            let fired = &firings[&ladder.id];
            let expected: &[(i64, i64, &str, u64)] = if ladder.policy == "debt" { &DEBT } else { &SILENCE };
            let keys: Vec<_> = fired.iter().map(|one| (one.rung, one.repeat, one.target.as_str())).collect();
            let wanted: Vec<_> = expected.iter().map(|(rung, repeat, target, _)| (*rung, *repeat, *target)).collect();
            assert_eq!(keys, wanted, "{backend:?}: {}", ladder.id);
            for (firing, (_, _, _, hours)) in fired.iter().zip(expected) {
                world.came_in_time(firing);
                let due = Timestamp::from_micros(ladder.measured_from).plus(Duration::from_secs(hours * 3600));
                assert!(touched.contains(&ladder.id) || firing.due_at == due.micros(), "{backend:?}: {firing:?}");
            }
        }
        let tickets = app::tickets::list(&world.app, SLUG).await.unwrap();
        assert!(tickets.iter().all(|ticket| ticket.status == "open"), "{backend:?}: none closes");
        assert_eq!(tickets.iter().filter(|ticket| ticket.debt == 1).count(), ASKED, "{backend:?}");
        assert!(app::audit::verify(&world.app).await.unwrap().broken.is_none(), "{backend:?}");
    }
}
