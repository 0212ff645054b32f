//! Random sequences of verbs, mails, ticks and crashes: whatever happens, a closed ticket has no debt, and no question is
//! lost or leaves its organisation.

use std::collections::BTreeMap;
use std::time::Duration;

use app::App;
use proptest::test_runner::{Config, TestRunner};
use testkit::process::Backend;
use testkit::smtp::Message;

use super::{raw_sql, reply_to, sent};
use crate::setup::{SLUG, Stage};

/// Sequences on each database; SQLite syncs each commit, so more take longer than they find. `FORTHRIGHT_SEQUENCES` asks for
/// another number; `docs/reliability.md` says of what was run once.
const CASES: u32 = 40;
/// Sequences that go on in one store: its tickets become many by splits, and each look at all of them slower.
const A_STORE: u32 = 200;
/// What somebody in a hurry types into the database's own client; none may close a ticket that owes something.
const BY_HAND: [&str; 5] = [
    "UPDATE tickets SET status = 'closed', closed_at = 1",
    "UPDATE tickets SET debt = 0",
    "UPDATE questions SET state = 'answered'",
    "UPDATE questions SET state = 'withdrawn', settled_at = 1",
    "DELETE FROM questions",
];

fn cases() -> u32 {
    std::env::var("FORTHRIGHT_SEQUENCES").ok().map_or(CASES, |cases| cases.parse().unwrap())
}

/// The store as a worker in this process sees it.
pub(super) async fn open(stage: &Stage) -> App {
    let database = match stage.run.database() {
        None => store::Database::Sqlite(stage.run.folder().join("forthright.db")),
        Some(url) => store::Database::Postgres(url.to_owned()),
    };
    let opening = app::Opening {
        database: &database,
        data: stage.run.folder(),
        master_key: None,
        now: None,
        settings: app::Settings::default(),
        actor: "agent".to_owned(),
    };
    App::open(opening).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sequence_closes_a_ticket_with_debt_or_loses_a_question() {
    for backend in Backend::each() {
        let mut left = cases();
        while left > 0 {
            run(backend, left.min(A_STORE)).await;
            left -= left.min(A_STORE);
        }
    }
}

/// So many sequences, one after the other, in a store of their own.
async fn run(backend: Backend, cases: u32) {
    let (stage, messages) = sent(backend, 2);
    let app = open(&stage).await;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let strategy = proptest::collection::vec((0_u8..19, 0_usize..12), 1..20);
    let handle = tokio::runtime::Handle::current();
    let (done, known) = (std::cell::Cell::new(0), std::cell::RefCell::new(BTreeMap::new()));
    tokio::task::block_in_place(|| {
        runner.run(&strategy, |steps| {
            done.set(done.get() + 1);
            for (n, (verb, which)) in steps.into_iter().enumerate() {
                let n = done.get() * 100 + n;
                match verb {
                    18 if n.is_multiple_of(4) => drop(raw_sql(&stage, BY_HAND[n % BY_HAND.len()])),
                    _ => handle.block_on(step(&app, &stage, verb, which, &messages[which % 2], n)),
                }
            }
            let found = handle.block_on(check(&app));
            for (question, tenant) in known.borrow().iter() {
                proptest::prop_assert_eq!(found.get(question), Some(tenant), "{} is lost or moved", question);
            }
            *known.borrow_mut() = found;
            Ok(())
        })
    })
    .unwrap();
}

/// The organisation of each question; every ticket is as its questions say. As of one moment: what a crash left under way
/// may still be committed while this reads.
async fn check(app: &App) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut conn = app.store.snapshot().await.unwrap();
    for row in store::tickets::list(&mut conn, 1).await.unwrap() {
        let questions = store::tickets::questions(&mut conn, &row.id).await.unwrap();
        let debt = questions.iter().filter(|question| ["open", "promised"].contains(&question.state.as_str())).count();
        assert_eq!(row.debt, i64::try_from(debt).unwrap());
        assert!(row.status == "open" || debt == 0, "closed with {debt} open");
        for question in questions {
            assert!(found.insert(question.id, row.tenant_id.clone()).is_none(), "a question is in two tickets");
        }
    }
    assert!(!found.is_empty() || store::tickets::list(&mut conn, 1).await.unwrap().len() >= 2);
    found
}

async fn step(app: &App, stage: &Stage, verb: u8, which: usize, notice: &Message, n: usize) {
    let mut tickets = app::tickets::list(app, SLUG).await.unwrap();
    tickets.retain(|ticket| ticket.merged_into.is_none());
    let (ticket, other) = (tickets[which % tickets.len()].id.clone(), tickets[n % tickets.len()].id.clone());
    let ticket = ticket.as_str();
    let questions = app::tickets::show(app, ticket).await.unwrap().questions;
    let named: Vec<String> =
        questions.get(n % questions.len().max(1)).map(|question| question.id.clone()).into_iter().collect();
    let later = app.clock.now().plus(Duration::from_secs(3600));
    let mail = |extra: &str, body: String| reply_to(notice, extra, &body);
    // Refusals are what is tested; what they leave behind is looked at by the caller.
    let _ = match verb {
        0 | 1 => receive(app, &mail("", format!("Question {n}?"))).await,
        2 => receive(app, &mail("", format!("We object, for the {n}th time."))).await,
        3 => receive(app, &mail("Auto-Submitted: auto-replied\r\n", format!("We object? {n}"))).await,
        4 | 5 => app::tickets::answer(
            app,
            ticket,
            &named,
            "The access was closed on 24 September.",
            app::tickets::About::Facts,
        )
        .await
        .map(drop),
        6 => app::tickets::promise(app, ticket, &named, later, "Soon.").await.map(drop),
        7 => app::tickets::decline(app, ticket, &named, "not ours", later).await.map(drop),
        8 => app::tickets::approve_decline(&app.acting_as("counsel"), ticket, &named).await.map(drop),
        9 => app::tickets::split(app, ticket, &named).await.map(drop),
        10 => app::tickets::merge(app, ticket, &other).await.map(drop),
        11 => app::escalation::tick(app).await.map(drop),
        12 => match named.first() {
            Some(question) => app::tickets::reopen(app, question, "somebody looked again").await,
            None => Ok(()),
        },
        // A crash: what is under way is dropped where it waits, before or after its commit.
        13 => {
            let merging = app::tickets::merge(app, ticket, &other);
            let splitting = app::tickets::split(app, ticket, &named);
            let short = Duration::from_micros(n as u64 % 3_000);
            let _ = tokio::time::timeout(short, merging).await;
            tokio::time::timeout(short, splitting).await.map(drop).or(Ok(()))
        }
        14 => match named.first() {
            Some(question) => {
                let proposed = app::tickets::withdraw_question(app, question, "they said so", None).await;
                let by_another = app.acting_as(if which.is_multiple_of(2) { "counsel" } else { "agent" });
                proposed
                    .and(app::tickets::withdraw_question(&by_another, question, "so they did", None).await)
                    .map(drop)
            }
            None => Ok(()),
        },
        15 => import(app, stage, which, n).await,
        _ => app::tickets::close(app, ticket).await,
    };
}

/// Further rows of one of the two organisations.
async fn import(app: &App, stage: &Stage, which: usize, n: usize) -> Result<(), app::AppError> {
    let head = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id";
    let name = format!("more-{n}.csv");
    let path =
        stage.file(&name, &format!("{head}\nbox/{n}.pdf,org{:05}.example,,invoice,2021-05-06,10,,\n", which % 2));
    let options = sources::Options::default();
    let import = app::intake::Import { path: &path, name: &name, options: &options, again: app::intake::Again::No };
    app::intake::import(app, SLUG, &import, |_| {}).await.map(drop)
}

async fn receive(app: &App, raw: &str) -> Result<(), app::AppError> {
    app::inbound::receive(app, raw.as_bytes(), None, None).await.map(drop)
}
