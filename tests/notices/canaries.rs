//! A canary in everything that is an organisation's: none sings in anybody else's notice, and every number of every
//! notice is what the rows come to when they are counted again, here, by other code.
//!
//! `FORTHRIGHT_TEST_ORGANISATIONS=10000` runs it at the size of a large incident; a thousand are enough each day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use mail::templates::Templates;
use model::language::Language;
use model::notices::{Letter, NoticeContext};
use store::notices::{LetterRow, Notice};
use testkit::process::Backend;

use crate::setup::{SLUG, Stage};

const TASKS: usize = 16;
const SEED: u64 = 20_261_126;
const LANGUAGES: [&str; 7] = ["en", "de", "es", "fr", "ja", "pt", ""];
const TYPES: [&str; 5] = ["invoice", "contract", "password_plain", "source_code", "medical_record"];
const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    /// The text, or nothing: a field that the row leaves out.
    fn often(&mut self, text: String) -> String {
        if self.below(6) == 0 { String::new() } else { text }
    }
}

/// Sixteen letters that occur nowhere else and hold no digit: `cnry` may stand in its own organisation's notice,
/// `scrt` (object paths, persons, projects, names of contacts) in none.
fn canary(kind: &str, organisation: usize) -> String {
    let mixed = (organisation as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ SEED;
    let letters = (0..11).map(|n| (b'a' + ((mixed >> (n * 4)) & 15) as u8) as char);
    format!("{kind}{}q", letters.collect::<String>())
}

/// All canaries of a kind in a text.
fn heard(text: &str, kind: &str) -> BTreeSet<String> {
    let text = text.to_ascii_lowercase();
    text.match_indices(kind).map(|(at, _)| text[at..].chars().take(16).collect()).collect()
}

/// What one domain's rows come to.
#[derive(Default)]
struct Count {
    rows: u64,
    objects: BTreeMap<String, Object>,
    emails: BTreeSet<String>,
    users: BTreeSet<String>,
    projects: BTreeSet<String>,
}

#[derive(Default)]
struct Object {
    size: Option<u64>,
    date: Option<String>,
    kind: Option<String>,
}

fn least<T: Ord>(held: &mut Option<T>, seen: Option<T>) {
    if let Some(seen) = seen
        && held.as_ref().is_none_or(|held| seen < *held)
    {
        *held = Some(seen);
    }
}

impl Count {
    /// One row: path, email, type, date, size, project, user.
    fn add(&mut self, row: &[String; 7]) {
        let there = |at: usize| Some(row[at].clone()).filter(|text| !text.is_empty());
        self.rows += 1;
        self.emails.extend(there(1).map(|email| email.to_lowercase()));
        self.projects.extend(there(5));
        self.users.extend(there(6));
        if let Some(path) = there(0) {
            let object = self.objects.entry(path).or_default();
            least(&mut object.kind, there(2));
            least(&mut object.date, there(3));
            least(&mut object.size, there(4).map(|size| size.parse().unwrap()));
        }
    }

    /// Every number that a notice states of it.
    fn numbers(&self, language: Language) -> Vec<String> {
        let objects = || self.objects.values();
        // The objects stand in short above everything, and among the figures.
        let (rows, all) = (self.rows, self.objects.len() as u64);
        let mut figures = vec![rows, all, all, self.emails.len() as u64, self.users.len() as u64];
        figures.push(self.projects.len() as u64);
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for kind in objects().filter_map(|object| object.kind.as_deref()) {
            *kinds.entry(kind).or_default() += 1;
        }
        figures.extend(kinds.into_values());
        let unknown = [
            objects().filter(|object| object.kind.is_none()).count(),
            objects().filter(|object| object.date.is_none()).count(),
            objects().filter(|object| object.size.is_none()).count(),
        ];
        figures.extend(unknown.into_iter().filter(|count| *count > 0).map(|count| count as u64));
        let mut numbers: Vec<String> = figures.iter().map(u64::to_string).collect();
        let dates: BTreeSet<&String> = objects().filter_map(|object| object.date.as_ref()).collect();
        numbers.extend(dates.first().into_iter().chain(dates.last()).map(|date| (*date).clone()));
        if objects().any(|object| object.size.is_some()) {
            let bytes: u64 = objects().filter_map(|object| object.size).sum();
            numbers.push(bytes.to_string());
            let unit = [1_000_000_000_u64, 1_000_000, 1_000].into_iter().find(|unit| bytes >= *unit);
            let point = if [Language::En, Language::Ja].contains(&language) { "." } else { "," };
            let about = unit.map(|unit| format!("{}{point}{}", bytes / unit, bytes % unit * 10 / unit));
            numbers.extend(about.iter().flat_map(|about| about.split(point)).map(str::to_owned));
        }
        numbers
    }
}

/// Runs of digits, those of a date as one.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '-').map(|word| word.trim_matches('-'));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

/// What a reader sees of HTML.
fn visible(html: &str) -> String {
    let (head, rest) = html.split_once("<style>").unwrap_or((html, ""));
    let body = rest.split_once("</style>").map_or("", |(_, body)| body);
    let (mut text, mut tag) = (String::new(), false);
    for c in head.chars().chain(body.chars()) {
        tag = (tag || c == '<') && c != '>';
        text.push(if tag || c == '>' { ' ' } else { c });
    }
    ["&#x27;", "&#x3D;", "&#x60;"].iter().fold(text, |text, written| text.replace(written, " "))
}

/// By tenant its domains, each with what its rows come to.
type Expected = BTreeMap<String, BTreeMap<String, Count>>;

struct Files {
    directory: String,
    contacts: String,
    manifest: String,
}

/// Directory, contacts and a manifest in a mixed order, with what must come of them.
fn incident(organisations: usize) -> (Files, Expected) {
    let mut random = Random(SEED);
    let mut expected = Expected::new();
    let mut lines: Vec<String> = Vec::new();
    let mut directory = String::from("domain,tenant_id,tenant_name,country,language\n");
    let mut contacts = String::from("tenant_id,role,name,email,language\n");
    for n in 0..organisations {
        let (sings, secret) = (canary("cnry", n), canary("scrt", n));
        let tenant = format!("t-{n:06}");
        let name = random.pick(&["{} Ltd", "<b>{}</b> & Söhne", "L'atelier {}", "{} = {{code}}"]).replace("{}", &sings);
        let mut domains = BTreeMap::new();
        for letter in ["a", "b", "c"].iter().take(1 + random.below(3) as usize) {
            let domain = format!("{sings}-{letter}.{}", random.pick(&["example", "com", "co.uk", "de"]));
            writeln!(directory, "{domain},{tenant},\"{name}\",DE,{}", random.pick(&LANGUAGES)).unwrap();
            let mut count = Count::default();
            for _ in 0..=random.below(12) {
                let row = row(&mut random, &sings, &secret, &domain);
                let host = if random.below(3) == 0 { format!("mail.{domain}") } else { domain.clone() };
                let [path, email, kind, date, size, project, user] = &row;
                lines.push(format!("{path},{host},{email},{kind},{date},{size},{project},{user}\n"));
                count.add(&row);
            }
            domains.insert(domain, count);
        }
        let domain = domains.keys().next().unwrap();
        for person in 0..=random.below(2) {
            let language = random.pick(&LANGUAGES);
            writeln!(contacts, "{tenant},security,{secret} {person},p{person}@{domain},{language}").unwrap();
        }
        expected.insert(tenant, domains);
    }
    // Neighbours in the file are no neighbours in the store.
    for at in (1..lines.len()).rev() {
        lines.swap(at, random.below(at as u64 + 1) as usize);
    }
    let manifest = format!("{HEADER}{}", lines.concat());
    (Files { directory, contacts, manifest }, expected)
}

/// Path, email, type, date, size, project, user. Objects repeat, and rows of one object disagree.
fn row(random: &mut Random, sings: &str, secret: &str, domain: &str) -> [String; 7] {
    let kind = match random.below(4) {
        0 => format!("{sings}-papers"),
        _ => random.pick(&TYPES).to_owned(),
    };
    let [object, person, project, user] = [random.below(9), random.below(5), random.below(4), random.below(4)];
    let local = if random.below(2) == 0 { secret.to_uppercase() } else { secret.to_owned() };
    let path = format!("box/{secret}/{domain}/{object}.pdf");
    let date = format!("20{:02}-{:02}-{:02}", 10 + random.below(12), 1 + random.below(12), 1 + random.below(28));
    let size = random.below(5_000_000).to_string();
    [
        if random.below(20) == 0 { String::new() } else { path },
        random.often(format!("{local}{person}@{domain}")),
        random.often(kind),
        random.often(date),
        random.often(size),
        random.often(format!("prj-{secret}-{project}")),
        random.often(format!("usr-{secret}-{user}")),
    ]
}

/// A notice as it is stored.
struct Stored {
    notice: Notice,
    context: NoticeContext,
    letters: Vec<LetterRow>,
}

async fn stored(stage: &Stage) -> Vec<Stored> {
    let database = store::Database::parse(stage.run.database(), stage.run.folder()).unwrap();
    let store = store::Store::open(&database).await.unwrap();
    let mut conn = store.snapshot().await.unwrap();
    let incident = store::incidents::by_slug(&mut conn, SLUG).await.unwrap().unwrap().id;
    let notices = store::notices::list(&mut conn, incident).await.unwrap();
    let ids: Vec<String> = notices.iter().map(|notice| notice.id.clone()).collect();
    let mut letters: HashMap<String, Vec<LetterRow>> = HashMap::new();
    for letter in store::notices::letters_of_notices(&mut conn, &ids).await.unwrap() {
        letters.entry(letter.notice_id.clone().unwrap()).or_default().push(letter);
    }
    let mut stored = Vec::new();
    for notice in notices {
        let facts = store::notices::facts_of(&mut conn, &notice.id).await.unwrap().unwrap();
        let context = serde_json::from_str(&facts).unwrap();
        let letters = letters.remove(&notice.id).unwrap();
        stored.push(Stored { notice, context, letters });
    }
    stored
}

fn language(letter: &LetterRow) -> Language {
    Language::from_tag(&letter.language).unwrap()
}

fn render(templates: &Templates, notice: &Stored) -> Vec<Letter> {
    let rendered = notice.letters.iter().map(|letter| templates.render_notice(language(letter), &notice.context));
    rendered.map(|rendered| rendered.unwrap().letter).collect()
}

/// All of them on sixteen tasks at once, by place.
async fn at_once(templates: &Templates, notices: &std::sync::Arc<Vec<Stored>>) -> BTreeMap<usize, Vec<Letter>> {
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (templates, notices) = (templates.clone(), std::sync::Arc::clone(notices));
        tasks.push(tokio::spawn(async move {
            let mut rendered = Vec::new();
            for at in (task..notices.len()).step_by(TASKS) {
                rendered.push((at, render(&templates, &notices[at])));
                tokio::task::yield_now().await;
            }
            rendered
        }));
    }
    let mut all = BTreeMap::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    all
}

fn check(notice: &Stored, letter: &LetterRow, domains: &BTreeMap<String, Count>) {
    let tenant = &notice.notice.tenant_id;
    let own = BTreeSet::from([canary("cnry", tenant[2..].parse().unwrap())]);
    let html = letter.html.as_deref().unwrap();
    for (part, text) in [("subject", letter.subject.as_str()), ("text", &letter.text), ("html", html)] {
        let place = format!("{part} in {} of {tenant}", letter.language);
        assert_eq!(heard(text, "cnry"), own, "{place}\n{text}");
        assert_eq!(heard(text, "scrt"), BTreeSet::new(), "{place}\n{text}");
    }
    let mut wanted: Vec<String> = domains
        .values()
        .flat_map(|count| count.numbers(language(letter)))
        .chain([notice.context.version.to_string()])
        .collect();
    wanted.sort();
    for text in [letter.text.clone(), visible(html)] {
        let text = text.replace(&notice.notice.code, "").replace("2022-09-24 08:00 UTC", "");
        let mut found = numbers(&text);
        found.sort();
        assert_eq!(found, wanted, "{} of {tenant}\n{text}", letter.language);
    }
}

#[test]
fn no_notice_names_anything_of_another_organisation_and_each_number_is_what_the_rows_come_to() {
    let organisations =
        std::env::var("FORTHRIGHT_TEST_ORGANISATIONS").map_or(1_000, |text| text.parse::<usize>().unwrap());
    let (files, expected) = incident(organisations);
    let stage = Stage::new(Backend::Sqlite);
    let file = |name: &str, text: &str| stage.file(name, text);
    let [directory, contacts] = [("d.csv", &files.directory), ("c.csv", &files.contacts)].map(|(n, t)| file(n, t));
    stage.directory(&directory, &contacts);
    stage.import(&[&file("m.csv", &files.manifest)], &file("s.txt", "free.example\n"));
    stage.run.ok(&["notice", "draft", SLUG]);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let notices = std::sync::Arc::new(runtime.block_on(stored(&stage)));
    assert_eq!(notices.len(), organisations);
    let templates = Templates::builtin().unwrap();
    let mut at_once = runtime.block_on(at_once(&templates, &notices));
    for (at, notice) in notices.iter().enumerate() {
        let one_by_one = render(&templates, notice);
        assert_eq!(at_once.remove(&at).unwrap(), one_by_one, "{}", notice.notice.tenant_id);
        for (letter, rendered) in notice.letters.iter().zip(&one_by_one) {
            let row = (letter.subject.as_str(), letter.text.as_str(), letter.html.as_deref());
            assert_eq!(row, (rendered.subject.as_str(), rendered.text.as_str(), rendered.html.as_deref()));
            check(notice, letter, &expected[&notice.notice.tenant_id]);
        }
    }
}
