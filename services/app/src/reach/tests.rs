//! Rungs on a real store: what is asked once, what a fault costs, and where nobody can be told.

use std::time::Duration;

use store::directory::Tenant;
use store::facts::Sheet;
use store::waves::Wave;

use super::*;
use crate::{Clock, Opening, Settings};

const TENANT: &str = "t-1";

struct World {
    app: App,
    _folder: tempfile::TempDir,
}

impl World {
    /// Two incidents that affect one organisation, which has no contact; both are released.
    async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = store::Database::Sqlite(folder.path().join("forthright.db"));
        let mut settings = Settings::default();
        change(&mut settings);
        let opening = Opening {
            database: &database,
            data: folder.path(),
            master_key: None,
            now: None,
            settings,
            actor: "ana".to_owned(),
        };
        let app = App::open(opening).await.unwrap();
        let mut world = Self { app, _folder: folder };
        world.set_hours(0);
        let tenant = Tenant {
            id: TENANT.to_owned(),
            name: "Acme".to_owned(),
            country: String::new(),
            language: "en".to_owned(),
            added_at: 0,
        };
        let mut tx = world.app.store.begin().await.unwrap();
        store::directory::upsert_tenants(&mut tx, "directory", &[tenant], world.app.clock.now()).await.unwrap();
        tx.commit_ledger().await.unwrap();
        for slug in ["one", "two"] {
            let incident = world.affect(slug).await;
            world.release(incident).await;
        }
        world
    }

    fn set_hours(&mut self, hours: u64) {
        let start: Timestamp = "2022-09-25T09:00:00Z".parse().unwrap();
        self.app.clock = Clock::starting_at(Some(start.plus(Duration::from_secs(hours * 3600))));
    }

    /// Opens an incident with seven domains of the organisation in it.
    async fn affect(&self, slug: &str) -> i64 {
        let file = crate::incidents::IncidentFile {
            slug: slug.to_owned(),
            title: "A sample".to_owned(),
            vendor: "Vendor".to_owned(),
            discovered_at: "2022-09-24".to_owned(),
            summary: String::new(),
            measures: String::new(),
            contact: String::new(),
            identities: crate::incidents::Identities::Hashed,
            path_rule: String::new(),
            statements: std::collections::BTreeMap::new(),
            policies: std::collections::BTreeMap::new(),
        };
        crate::incidents::open(&self.app, file).await.unwrap();
        let incident = self.app.incident(slug).await.unwrap().id;
        let sheet = |domain: &str, rows: i64| Sheet {
            domain: domain.to_owned(),
            verdict: "mapped".to_owned(),
            tenant_id: Some(TENANT.to_owned()),
            rows: (rows, 0, 0),
            by_field: String::new(),
            facts: String::new(),
            version: 1,
        };
        let sheets: Vec<Sheet> = (0..7).map(|n| sheet(&format!("acme{n}.example"), n)).collect();
        let mut tx = self.app.store.begin().await.unwrap();
        store::facts::upsert(&mut tx, incident, 0, &sheets).await.unwrap();
        tx.commit_ledger().await.unwrap();
        incident
    }

    async fn release(&self, incident: i64) {
        let wave = Wave {
            id: format!("wav_{incident}"),
            name: "everybody".to_owned(),
            released_by: "lea".to_owned(),
            released_at: 0,
            notices: 0,
            pace: None,
            pace_per_system: None,
            per_day: None,
            is_pilot: 0,
            domain_checked: 1,
            paused_at: None,
            stopped_why: None,
            mails: 0,
            accepted: 0,
        };
        let mut tx = self.app.store.begin().await.unwrap();
        store::waves::insert(&mut tx, incident, &wave).await.unwrap();
        tx.commit_ledger().await.unwrap();
    }

    /// (rung, outcome) of what was climbed now.
    async fn find(&self, slug: &str) -> Vec<(String, String)> {
        let climbed = find(&self.app, slug, None).await.unwrap();
        climbed.into_iter().map(|rung| (rung.rung, rung.outcome)).collect()
    }
}

#[tokio::test]
async fn nothing_is_due_before_the_first_release() {
    let world = World::new(|_| {}).await;
    let unreleased = world.affect("three").await;
    while climb_due(&world.app).await.unwrap() > 0 {}
    assert!(!due(&world.app).await.unwrap());
    assert_eq!(attempts(&world.app, "two", Some(TENANT)).await.unwrap().len(), 5);
    assert_eq!(attempts(&world.app, "three", None).await.unwrap(), []);
    world.release(unreleased).await;
    assert!(due(&world.app).await.unwrap());
    assert_eq!(climb_due(&world.app).await.unwrap(), 5);
}

#[tokio::test]
async fn the_ladder_has_an_end_and_does_not_begin_again() {
    let mut world = World::new(|_| {}).await;
    assert_eq!(world.find("one").await.len(), 5);
    assert_eq!(world.find("one").await, []);
    world.set_hours(73);
    assert_eq!(world.find("one").await, [("letter".to_owned(), "task".to_owned())]);
    world.set_hours(10_000);
    assert_eq!(world.find("one").await, []);
}

#[test]
fn every_rung_that_asks_strangers_is_off_by_default() {
    let settings = Settings::default().reach;
    assert!(!settings.security_txt && !settings.rdap && !settings.role_mailboxes);
}

#[cfg(feature = "lookup")]
mod looking {
    use std::sync::{Arc, Mutex};

    use model::domain::DomainName;
    use model::reach::Rung;
    use sources::lookup::{Answer, AnswerStatus, Asking, Provider, Question};

    use super::super::look::{Asker, Keep};
    use super::*;

    /// Answers each question alike, and counts.
    struct Counting {
        status: AnswerStatus,
        asked: Mutex<Vec<String>>,
        clock: Mutex<Clock>,
    }

    impl Provider for Counting {
        fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> Asking<'a> {
            self.asked.lock().unwrap().push(domain.to_string());
            let text = format!("Contact: mailto:sec@{domain}\nExpires: 2030-01-01T00:00:00Z\n");
            let body = if self.status == AnswerStatus::Found { text.into_bytes() } else { Vec::new() };
            let answer = Answer {
                question,
                domain: domain.to_string(),
                asked_at: self.clock.lock().unwrap().now(),
                url: format!("https://{domain}/.well-known/security.txt"),
                status: self.status.clone(),
                body,
            };
            Box::pin(async { answer })
        }
    }

    async fn world(status: AnswerStatus, keep: Keep) -> (World, Arc<Counting>) {
        let world = World::new(|settings| settings.reach.security_txt = true).await;
        let clock = Mutex::new(world.app.clock);
        let provider = Arc::new(Counting { status, asked: Mutex::default(), clock });
        world.app.lookups.set(Asker::of(Arc::clone(&provider) as _, keep));
        (world, provider)
    }

    fn asked(provider: &Counting) -> usize {
        provider.asked.lock().unwrap().len()
    }

    #[tokio::test]
    async fn the_domains_that_are_named_most_often_are_asked_about_and_not_too_many() {
        let (world, provider) = world(AnswerStatus::Found, Keep::Fresh).await;
        let last = world.find("one").await.pop().unwrap();
        assert_eq!(last, ("security-txt".to_owned(), "asked".to_owned()));
        let names: Vec<String> = (2..7).rev().map(|n| format!("acme{n}.example")).collect();
        assert_eq!(*provider.asked.lock().unwrap(), names);
    }

    #[tokio::test]
    async fn a_fresh_answer_is_used_again_and_an_old_one_is_not() {
        let (mut world, provider) = world(AnswerStatus::Found, Keep::Fresh).await;
        world.find("one").await;
        world.set_hours(167);
        assert_eq!(world.find("two").await.pop().unwrap().1, "asked");
        assert_eq!(asked(&provider), 5);
        let mut conn = world.app.store.read().await.unwrap();
        let kept = store::reach::answer(&mut conn, Rung::SecurityTxt.as_str(), "acme6.example").await.unwrap();
        assert!(kept.is_some_and(|row| row.status == "found" && row.body.starts_with(b"Contact")));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_old_is_asked_for_again() {
        let (mut world, provider) = world(AnswerStatus::NotFound, Keep::Fresh).await;
        world.find("one").await;
        world.set_hours(169);
        *provider.clock.lock().unwrap() = world.app.clock;
        world.find("two").await;
        assert_eq!(asked(&provider), 10);
    }

    #[tokio::test]
    async fn what_failed_is_said_and_not_kept() {
        let (world, provider) = world(AnswerStatus::Failed("too slow".to_owned()), Keep::Fresh).await;
        let climbed = find(&world.app, "one", None).await.unwrap();
        assert_eq!((climbed[1].rung.as_str(), climbed[1].outcome.as_str()), ("security-txt", "failed"));
        assert!(climbed[1].detail.contains("could not be fetched: too slow"), "{}", climbed[1].detail);
        assert_eq!(climbed.last().unwrap().rung, "account-manager");
        world.find("two").await;
        assert_eq!(asked(&provider), 10);
    }

    #[tokio::test]
    async fn answers_of_a_folder_are_read_each_time_and_never_kept() {
        let (world, provider) = world(AnswerStatus::Found, Keep::Nothing).await;
        world.find("one").await;
        world.find("two").await;
        assert_eq!(asked(&provider), 10);
        let mut conn = world.app.store.read().await.unwrap();
        assert!(store::reach::answer(&mut conn, "security-txt", "acme6.example").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn whoever_comes_second_leaves_nothing() {
        let (world, _provider) = world(AnswerStatus::Found, Keep::Fresh).await;
        let incident = world.app.incident("one").await.unwrap().id;
        let first = Due { incident_id: incident, tenant_id: TENANT.to_owned(), climbed: 0 };
        assert_eq!(climb::climb(&world.app, &first).await.unwrap().len(), 1);
        assert_eq!(climb::climb(&world.app, &first).await.unwrap(), []);
        let second = Due { climbed: 1, ..first };
        assert_eq!(climb::climb(&world.app, &second).await.unwrap().len(), 1);
        assert_eq!(climb::climb(&world.app, &second).await.unwrap(), []);
        let states = crate::delivery::count_by_state(&world.app).await.unwrap();
        assert_eq!(states.get("queued"), Some(&5));
    }
}
