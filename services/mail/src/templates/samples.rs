//! A context of each letter with nothing, one and many of everything it repeats: what templates are tried with.
//!
//! Made up, and the same at each call. Invariant: the first sample of a kind has every field, and something in every
//! list, because the fields that a template may name are read from it.

use model::difference::{Change, Lately, What, Why, Withholding};
use model::language::Language;
use model::notices::{DomainFacts, EarlierNotice, IncidentFacts, NoticeContext, STATED, TypeCount, Unknown};
use model::time::Timestamp;
use model::withholding::Withheld;

use super::contexts::View;
use super::labels::Labels;
use super::set::Kind;
use super::{
    AcknowledgementContext, AnswerContext, AskedQuestion, DeclineContext, EscalationContext, PromiseContext,
    ReachContext, ReachSource, ReminderContext, ReportContext, TemplateError, notice, report,
};

/// Days of a made-up incident, by number, as a time in microseconds.
fn day(number: i64) -> Timestamp {
    const DISCOVERED: i64 = 1_664_014_272;
    Timestamp::from_micros((DISCOVERED + number * 86_400) * 1_000_000)
}

pub(super) fn facts(domain: &str, types: usize, labels: &Labels) -> DomainFacts {
    let ids = labels.ids(Language::En).into_iter();
    let data_types = ids.take(types).zip(7..).map(|(id, objects)| TypeCount { id: id.to_owned(), objects }).collect();
    DomainFacts {
        domain: domain.to_owned(),
        tenant_id: Some("t-1".to_owned()),
        rows: 1680,
        objects: 412,
        emails: 31,
        users: 58,
        projects: 12,
        bytes: 123_456_789,
        first_date: Some("2017-03-01".to_owned()),
        last_date: Some("2022-08-31".to_owned()),
        data_types,
        unknown: Unknown { data_type: 3, date: 4, size: 5 },
        withheld: Vec::new(),
    }
}

pub(super) fn notice(domains: Vec<DomainFacts>) -> NoticeContext {
    NoticeContext {
        incident: IncidentFacts {
            slug: "bluebleed".to_owned(),
            title: "Open storage server".to_owned(),
            vendor: "Vendor Inc.".to_owned(),
            discovered_at: day(0),
            summary: "A storage server could be read without a password.\n\nIt held project files.".to_owned(),
            measures: "The server was closed.".to_owned(),
            contact: "Vendor Inc., Main Street, Springfield".to_owned(),
            statements: STATED.into_iter().map(|id| (id.to_owned(), format!("Words on {id}.\n\nAnd more."))).collect(),
        },
        tenant_name: "Contoso GmbH".to_owned(),
        domains,
        code: "K7QF-2M9X-0WTA".to_owned(),
        verify_page: "https://verify.vendor.example/".to_owned(),
        version: 1,
        supplements: None,
        earlier: Vec::new(),
        withheld: vec![
            withheld("emails", None),
            Withheld {
                also: vec!["objects".to_owned(), "bytes".to_owned()],
                ..withheld("type", Some("contoso.example"))
            },
        ],
        changes: changes(),
        why: vec![Why::Records, Why::TakenBack, Why::Mapping, Why::Disclosed, Why::Stated, Why::Withheld],
    }
}

fn changes() -> Vec<Change> {
    let change = |what| Change::new("contoso.example", what);
    let stated = |before: Option<&str>, after: Option<&str>| {
        let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
        Change::new("", What::Stated { element: "cause".to_owned(), before, after })
    };
    let withheld = |now| Change::new("", What::Withheld { fact: "emails".to_owned(), now });
    let again = What::Figure { name: "users".to_owned(), before: Some(60), after: Some(58) };
    let dates = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    vec![
        change(What::New),
        change(What::Again),
        change(What::Gone),
        change(What::Cleared),
        change(What::Unlisted),
        change(What::Figure { name: "objects".to_owned(), before: Some(400), after: Some(412) }),
        change(What::Figure { name: "emails".to_owned(), before: None, after: Some(31) }),
        change(What::Type { id: "invoice".to_owned(), before: Some(9), after: Some(7) }),
        change(What::Period { before: Some(dates("", "")), after: Some(dates("2017-03-01", "2022-08-31")) }),
        Change { lately: Lately::Withheld { told_at: day(2) }, ..change(again) },
        stated(Some("Not known yet."), Some("A password was missing.\n\nWe look further.")),
        stated(None, Some("A password was missing.")),
        stated(Some("A password was missing."), None),
        withheld(Withholding::Begun),
        withheld(Withholding::Changed),
        withheld(Withholding::Ended),
    ]
}

fn withheld(fact: &str, domain: Option<&str>) -> Withheld {
    Withheld {
        fact: fact.to_owned(),
        also: Vec::new(),
        domain: domain.map(str::to_owned),
        why: "The police asked us to wait.".to_owned(),
        review_at: day(30),
    }
}

fn unknown_only(domain: &str, labels: &Labels) -> DomainFacts {
    DomainFacts {
        emails: 0,
        users: 0,
        projects: 0,
        bytes: 0,
        first_date: None,
        last_date: None,
        data_types: Vec::new(),
        unknown: Unknown { data_type: 412, date: 412, size: 412 },
        ..facts(domain, 0, labels)
    }
}

/// Notices for organisations with one and many domains, no, one and many types, nothing known, nothing stated.
pub(super) fn notices(labels: &Labels) -> Vec<(&'static str, NoticeContext)> {
    let facts = |domain: &str, types| facts(domain, types, labels);
    let unit = |number| format!("unit-{number}.contoso.example");
    let every = labels.ids(Language::En).len();
    let mut bare = notice(vec![facts("contoso.example", 1)]);
    for text in [&mut bare.incident.summary, &mut bare.incident.measures, &mut bare.incident.contact] {
        text.clear();
    }
    bare.incident.statements.clear();
    bare.withheld.clear();
    bare.changes.clear();
    bare.why.clear();
    bare.verify_page.clear();
    bare.version = 2;
    bare.supplements = Some(day(2));
    bare.earlier = vec![EarlierNotice { code: "3XHW-8P2D-77QK".to_owned(), released_at: day(2) }];
    let mut marked = notice(vec![facts("contoso.example", 1)]);
    marked.tenant_name = "O'Neill & <Söhne> \"GmbH\"".to_owned();
    vec![
        (
            "two domains, twenty types",
            notice(vec![facts("contoso.example", 20), facts("xn--mnchen58-dz-thb.example", 2)]),
        ),
        ("one domain without types", notice(vec![facts("contoso.example", 0)])),
        ("one domain, one type", notice(vec![facts("contoso.example", 1)])),
        ("twenty domains", notice((0..20).map(|number| facts(&unit(number), number)).collect())),
        ("twenty domains, twenty types each", notice((0..20).map(|number| facts(&unit(number), 20)).collect())),
        ("nothing known", notice(vec![unknown_only("contoso.example", labels)])),
        ("nothing stated, a supplement", bare),
        ("every type", notice(vec![facts("contoso.example", every)])),
        ("signs of markup in a name", marked),
    ]
}

fn questions() -> Vec<AskedQuestion> {
    let question = |id: &str, text: &str| AskedQuestion { id: id.to_owned(), text: text.to_owned(), asked_at: day(10) };
    vec![question("qst_1", "Which files?\nAnd whose?"), question("qst_2", "Was <b>our</b> key in it?")]
}

const TITLE: &str = "Open storage server";
const VENDOR: &str = "Vendor Inc.";
const TENANT: &str = "Contoso & Söhne";
const CODE: &str = "K7QF-2M9X-0WTA";

pub(super) fn reach() -> ReachContext {
    ReachContext {
        vendor: VENDOR.to_owned(),
        domain: "contoso.example".to_owned(),
        source: ReachSource::SecurityTxt,
        found_on: "2022-10-01".to_owned(),
    }
}

pub(super) fn reminder() -> ReminderContext {
    ReminderContext {
        incident_title: TITLE.to_owned(),
        vendor: VENDOR.to_owned(),
        tenant_name: TENANT.to_owned(),
        code: CODE.to_owned(),
        notice_released_at: day(6),
    }
}

pub(super) fn acknowledgement() -> AcknowledgementContext {
    AcknowledgementContext {
        incident_title: TITLE.to_owned(),
        vendor: VENDOR.to_owned(),
        tenant_name: TENANT.to_owned(),
        questions: questions(),
    }
}

pub(super) fn answer() -> AnswerContext {
    AnswerContext {
        incident_title: TITLE.to_owned(),
        vendor: VENDOR.to_owned(),
        tenant_name: TENANT.to_owned(),
        questions: questions(),
        answer: "These two files:\n\n- a.pdf\n- b.pdf".to_owned(),
        code: CODE.to_owned(),
    }
}

pub(super) fn promise() -> PromiseContext {
    PromiseContext {
        incident_title: TITLE.to_owned(),
        vendor: VENDOR.to_owned(),
        tenant_name: TENANT.to_owned(),
        questions: questions(),
        by: day(26),
        text: String::new(),
        code: CODE.to_owned(),
    }
}

pub(super) fn decline() -> DeclineContext {
    DeclineContext {
        incident_title: TITLE.to_owned(),
        vendor: VENDOR.to_owned(),
        tenant_name: TENANT.to_owned(),
        questions: questions(),
        reason: "The police asked us not to say.".to_owned(),
        review_at: day(68),
        code: CODE.to_owned(),
    }
}

pub(super) fn escalation() -> EscalationContext {
    EscalationContext {
        policy: "debt".to_owned(),
        rung: 2,
        ticket: "tkt_1".to_owned(),
        tenant_id: "t-1".to_owned(),
        tenant_name: "Contoso GmbH".to_owned(),
        incident_slug: "bluebleed".to_owned(),
        why: "A question has been open for 72 hours.".to_owned(),
        open_questions: questions(),
        due_at: day(13),
        next_rung_at: Some(day(17)),
    }
}

/// A text about a whole incident with everything in it.
pub(super) fn whole(labels: &Labels) -> ReportContext {
    let facts = facts("contoso.example", 20, labels);
    let figures = [
        ("organisations", 64_201),
        ("tenants_affected", 61_877),
        ("organisations_told", 58_023),
        ("organisation_rows", 4_900_123),
        ("objects", 1_648_458),
        ("emails", 334_411),
        ("users", 547_902),
        ("projects", 132_765),
        ("bytes", 2_400_512_000_000),
        ("objects_without_data_type", 17_409),
    ];
    ReportContext {
        incident: notice(Vec::new()).incident,
        written_at: day(9),
        figures: figures.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        period: facts.first_date.zip(facts.last_date),
        types: facts.data_types,
        withheld: vec![withheld("users", None)],
        verify_page: "https://verify.vendor.example/".to_owned(),
        law: "GDPR Art. 33(1),(3),(4)".to_owned(),
    }
}

/// With everything, with next to nothing stated and known, and with every data type.
pub(super) fn reports(labels: &Labels) -> Vec<(&'static str, ReportContext)> {
    let full = whole(labels);
    let mut bare = full.clone();
    for text in [&mut bare.incident.summary, &mut bare.incident.measures, &mut bare.incident.contact] {
        text.clear();
    }
    bare.incident.statements.clear();
    bare.figures.retain(|name, _| ["organisations", "objects"].contains(&name.as_str()));
    (bare.period, bare.types, bare.verify_page) = (None, Vec::new(), String::new());
    let ids = labels.ids(Language::En).into_iter().zip(1..);
    let types = ids.map(|(id, objects)| TypeCount { id: id.to_owned(), objects: objects * 1_013 }).collect();
    let every = ReportContext { types, withheld: Vec::new(), ..full.clone() };
    vec![("everything", full), ("nothing stated", bare), ("every data type", every)]
}

/// Every sample of a kind as templates see it, with a name.
pub(super) fn views(
    kind: Kind,
    language: Language,
    labels: &Labels,
) -> Result<Vec<(&'static str, serde_json::Value)>, TemplateError> {
    let one = questions().into_iter().take(1).collect::<Vec<_>>();
    let asked = |all, single| vec![("two questions", all), ("one question", single)];
    Ok(match kind {
        Kind::Notice => notices(labels)
            .into_iter()
            .map(|(name, context)| Ok((name, as_value(&notice::view(language, &context, labels))?)))
            .collect::<Result<_, _>>()?,
        Kind::Withdrawal => {
            let mut taken_back = notice(Vec::new());
            taken_back.version = 2;
            taken_back.supplements = Some(day(2));
            taken_back.earlier = vec![EarlierNotice { code: "3XHW-8P2D-77QK".to_owned(), released_at: day(2) }];
            taken_back.changes = ["contoso.example", "xn--mnchen58-dz-thb.example"]
                .map(|domain| Change::new(domain, What::Gone))
                .to_vec();
            taken_back.why = vec![Why::TakenBack, Why::Mapping];
            let two = notice::withdrawal(language, &taken_back);
            taken_back.changes.truncate(1);
            taken_back.why.truncate(1);
            taken_back.verify_page.clear();
            vec![("two domains", two), ("one domain", notice::withdrawal(language, &taken_back))]
        }
        Kind::Reminder => vec![("a reminder", reminder().view())],
        Kind::Reach => {
            let found = |source| ReachContext { source, ..reach() }.view();
            vec![
                ("from security.txt", found(ReachSource::SecurityTxt)),
                ("from registration data", found(ReachSource::Rdap)),
                ("a role mailbox", found(ReachSource::RoleMailbox)),
            ]
        }
        Kind::Acknowledgement => {
            asked(acknowledgement().view(), AcknowledgementContext { questions: one, ..acknowledgement() }.view())
        }
        Kind::Answer => asked(answer().view(), AnswerContext { questions: one, ..answer() }.view()),
        Kind::Promise => {
            let text = "We wait for the forensic report.".to_owned();
            asked(PromiseContext { text, ..promise() }.view(), PromiseContext { questions: one, ..promise() }.view())
        }
        Kind::Regulator | Kind::Press | Kind::Support => reports(labels)
            .into_iter()
            .map(|(name, context)| Ok((name, as_value(&report::view(language, &context, labels))?)))
            .collect::<Result<_, _>>()?,
        Kind::Decline => asked(decline().view(), DeclineContext { questions: one, ..decline() }.view()),
        Kind::Escalation => vec![
            ("two questions", escalation().view()),
            (
                "no question, last rung",
                EscalationContext { open_questions: Vec::new(), next_rung_at: None, ..escalation() }.view(),
            ),
        ],
    })
}

fn as_value(view: &impl serde::Serialize) -> Result<serde_json::Value, TemplateError> {
    serde_json::to_value(view)
        .map_err(|source| super::not_rendered("notice", handlebars::RenderErrorReason::SerdeError(source).into()))
}
