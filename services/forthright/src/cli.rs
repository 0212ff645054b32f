//! The command line as typed: a contract with people's scripts.
//!
//! Holds no behaviour.

mod calendar;
mod delivery;
mod directory;
mod dkim;
mod duties;
mod escalation;
mod notices;
mod report;
mod templates;
mod webhooks;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::time::Timestamp;
use sources::{Encoding, Format, Preset};

pub(crate) use calendar::CalendarVerb;
pub(crate) use delivery::{DeliveryVerb, WaveVerb};
pub(crate) use directory::{ContactVerb, DirectoryVerb, MappingVerb, TwinName};
pub(crate) use dkim::DkimVerb;
pub(crate) use duties::{Answer, ContractVerb, DutyVerb};
pub(crate) use escalation::{EscalationVerb, PolicyVerb};
pub(crate) use notices::{NoticeVerb, PreviewFormat};
pub(crate) use report::{ReportArgs, ReportVerb};
pub(crate) use templates::{TemplatePart, TemplatesVerb};
pub(crate) use webhooks::WebhookVerb;

/// Tells every organisation touched by a data exposure what of theirs was exposed, and keeps asking until each question has an answer.
#[derive(Debug, Parser)]
#[command(name = "forthright", version, max_term_width = 110, after_help = "Example: forthright demo")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Everywhere {
    /// Folder of the embedded database, the master key and outbox files.
    #[arg(long, global = true, env = "FORTHRIGHT_DATA", default_value = "./forthright-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// postgres://… for many hosts; default: SQLite in the data folder.
    #[arg(long, global = true, env = "FORTHRIGHT_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Configuration, TOML; each key is also an environment variable FORTHRIGHT_….
    #[arg(long, global = true, env = "FORTHRIGHT_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Who is recorded; default: the login name.
    #[arg(long, global = true, env = "FORTHRIGHT_ACTOR", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Where mail goes: smtp://HOST:PORT, smtps://HOST, file:DIR; further servers behind a space, for when one is down.
    #[arg(long, global = true, env = "FORTHRIGHT_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) smtp: Option<String>,
    /// Moves the clock, in a store made by `store init --rehearsal`.
    #[arg(long, global = true, env = "FORTHRIGHT_NOW", value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// One JSON document on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// CSV on standard output.
    #[arg(long, global = true, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// More talk on standard error; twice for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// No talk but errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// No colours.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Play the whole story on a sample incident, then serve its page.
    #[command(after_help = "Example: forthright demo --no-serve")]
    Demo {
        /// End after the story.
        #[arg(long)]
        no_serve: bool,
        /// Port of the page; 0 = any free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Web page, workers and sweep.
    #[command(after_help = "Example: forthright serve --listen 127.0.0.1:8080 --smtp smtp://relay.example:25")]
    Serve {
        /// Address to listen on; only loopback, because the page needs no login.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: std::net::SocketAddr,
        /// Only the page.
        #[arg(long)]
        no_workers: bool,
    },
    /// Workers and sweep only.
    #[command(after_help = "Example: forthright worker --smtp smtp://relay.example:25")]
    Worker,
    /// Run whatever is due now, then end.
    #[command(after_help = "Example: forthright work --until-idle --timeout 600 --smtp smtp://relay.example:25")]
    Work {
        /// End when nothing is due and no lease is held.
        #[arg(long, required = true)]
        until_idle: bool,
        /// Give up after this many seconds (exit 75).
        #[arg(long, value_name = "S")]
        timeout: Option<u64>,
    },
    /// Make or upgrade the store.
    #[command(subcommand)]
    Store(StoreVerb),
    /// Check database, clock, disk, SMTP, policies.
    #[command(after_help = "Example: forthright doctor --smtp smtp://relay.example:25")]
    Doctor,
    /// Incidents and their clock events.
    #[command(subcommand)]
    Incident(IncidentVerb),
    /// Tenants, domains, contacts.
    #[command(subcommand)]
    Directory(DirectoryVerb),
    /// Manifests, totals, facts, rejects.
    #[command(subcommand)]
    Exposure(ExposureVerb),
    /// The people of tenants, and addresses that were found.
    #[command(subcommand)]
    Contact(ContactVerb),
    /// Whose an affected host is.
    #[command(subcommand)]
    Mapping(MappingVerb),
    /// Notices: draft, look at, approve.
    #[command(subcommand)]
    Notice(NoticeVerb),
    /// The words of letters: built in, and of one incident.
    #[command(subcommand)]
    Templates(TemplatesVerb),
    /// Keys that sign mail (DKIM), and the records that let others check them.
    #[command(subcommand)]
    Dkim(DkimVerb),
    /// Texts for authorities, the press and support.
    #[command(subcommand)]
    Report(ReportVerb),
    /// Waves: release, pause, resume.
    #[command(subcommand)]
    Wave(WaveVerb),
    /// No new mail anywhere, within two seconds.
    Stop,
    /// Mail goes on.
    Go,
    /// Coverage and deliveries.
    #[command(subcommand)]
    Delivery(DeliveryVerb),
    /// Mail that comes in.
    #[command(subcommand)]
    Mail(MailVerb),
    /// Conversations and their questions.
    #[command(subcommand)]
    Ticket(TicketVerb),
    /// Questions.
    #[command(subcommand)]
    Question(QuestionVerb),
    /// Passages of answers, filled with each organisation's own facts.
    #[command(subcommand)]
    Snippet(SnippetVerb),
    /// Ladders and what they fired.
    #[command(subcommand)]
    Escalation(EscalationVerb),
    /// Programs that are told as it happens.
    #[command(subcommand)]
    Webhook(WebhookVerb),
    /// Duties to tell somebody: clocks by law and by contract.
    #[command(subcommand)]
    Duty(DutyVerb),
    /// Hours that were promised to customers.
    #[command(subcommand)]
    Contract(ContractVerb),
    /// Office hours and holidays.
    #[command(subcommand)]
    Calendar(CalendarVerb),
    /// The audit chain.
    #[command(subcommand)]
    Audit(AuditVerb),
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreVerb {
    /// Make the store; again = nothing.
    #[command(after_help = "Example: forthright store init --database postgres://localhost/forthright")]
    Init {
        /// A store whose clock --now may move, and whose mails say REHEARSAL.
        #[arg(long)]
        rehearsal: bool,
    },
    /// Upgrade the store to this program.
    Migrate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentVerb {
    /// Open an incident from a TOML file with slug, title, vendor, discovered_at.
    #[command(after_help = "Example: forthright incident open bluebleed.toml")]
    Open {
        /// The file.
        file: PathBuf,
    },
    /// All incidents.
    List,
    /// One incident with its clock events.
    Show {
        /// The incident.
        slug: String,
    },
    /// Destroy the key of the exposed persons and the sets of objects; counts and audit stay. For ever.
    #[command(after_help = "Example: forthright incident erase bluebleed --why \"retention period over\"")]
    Erase {
        /// The incident.
        slug: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// State something that notices have a place for: what_happened, date_of_breach, delay_reason, …
    #[command(after_help = "Example: forthright incident state bluebleed likely_consequences --text consequences.txt")]
    State {
        /// The incident.
        slug: String,
        /// The content element.
        element: String,
        /// The words, in a file; - is standard input; empty takes the statement back.
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
    },
    /// Record a clock event: aware, determined_breach, contained, …
    #[command(
        after_help = "Example: forthright incident event bluebleed aware --at 2022-09-24T08:00:00Z --why \"report by a researcher\""
    )]
    Event {
        /// The incident.
        slug: String,
        /// The event.
        name: String,
        /// When it happened.
        #[arg(long)]
        at: Timestamp,
        /// The reason or source.
        #[arg(long)]
        why: String,
        /// Put right what was recorded before; that is kept as history.
        #[arg(long)]
        correct: bool,
    },
    /// Every event with its corrections, every clock, promise, question and wave in order of time, for printing.
    #[command(after_help = "Example: forthright incident timeline bluebleed > timeline.txt")]
    Timeline {
        /// The incident.
        slug: String,
    },
    /// Promise the next update by a time, or record that a statement went out that keeps what was promised.
    #[command(
        after_help = "Example: forthright incident next-update bluebleed --by 2026-12-01T12:00:00Z --why \"forensics ends on Monday\""
    )]
    NextUpdate {
        /// The incident.
        slug: String,
        /// By when.
        #[arg(long, value_name = "TIME", required_unless_present = "sent", conflicts_with = "sent")]
        by: Option<Timestamp>,
        /// When a statement went out by other ways than notices.
        #[arg(long, value_name = "TIME")]
        sent: Option<Timestamp>,
        /// The reason, or what went out.
        #[arg(long, value_parser = reason)]
        why: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExposureVerb {
    /// Count manifests; an interrupted import resumes.
    #[command(after_help = "Example: forthright exposure import bluebleed manifest.csv --shared-domains freemail.txt")]
    Import(ImportArgs),
    /// Look through a container and count the addresses and domains that its files name; no content is kept.
    #[cfg(feature = "object-store")]
    #[command(after_help = "Example: forthright exposure scan bluebleed s3://exposed-bucket/exports")]
    Scan {
        /// The incident.
        slug: String,
        /// A folder, s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX; credentials as AWS_… or AZURE_….
        url: String,
        /// Write the rows to this file as JSON Lines and count nothing.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Totals under the counting rules.
    Totals {
        /// The incident.
        slug: String,
    },
    /// What was read, what it came to and by which rules, in sentences.
    Summary {
        /// The incident.
        slug: String,
    },
    /// A line per affected organisation domain.
    Facts {
        /// The incident.
        slug: String,
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// How fact sheets changed after they were first written.
    Changes {
        /// The incident.
        slug: String,
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// The files that were read.
    Manifests {
        /// The incident.
        slug: String,
    },
    /// Take a manifest back: its rows count no more, and the record says why.
    #[command(
        after_help = "Example: forthright exposure withdraw bluebleed manifest.csv --why \"read with the wrong columns\""
    )]
    Withdraw {
        /// The incident.
        slug: String,
        /// The file's name, or the beginning of its sha256, as `exposure manifests` lists them.
        manifest: String,
        /// The reason.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Rows that could not be used.
    #[command(after_help = "Example: forthright exposure rejects bluebleed --csv")]
    Rejects {
        /// The incident.
        slug: String,
    },
    /// The set behind a figure: a commitment to it, and the query that gives the figure from it.
    #[command(after_help = "Example: forthright exposure prove bluebleed objects --export objects.csv")]
    Prove {
        /// The incident.
        slug: String,
        /// A name among the totals: objects, emails, bytes, …
        figure: String,
        /// Of one organisation domain.
        #[arg(long, value_name = "DOMAIN")]
        organisation: Option<String>,
        /// Write the set to this file.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
    /// The counting rules, with their version.
    Rules,
}

/// What an import is told.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The incident.
    pub(crate) slug: String,
    /// Files, folders, or the manifest.json of an S3 inventory; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How they are read.
    #[arg(long, value_parser = names_of(&Format::NAMES), default_value = "auto")]
    pub(crate) format: String,
    /// How their characters are written.
    #[arg(long, value_parser = names_of(&Encoding::NAMES), default_value = "auto")]
    pub(crate) encoding: String,
    /// Whose columns they have.
    #[arg(long, value_parser = names_of(&Preset::NAMES), default_value = "auto")]
    pub(crate) preset: String,
    /// Another name of a column: --map size=size_bytes.
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub(crate) map: Vec<String>,
    /// A field that the files do not have: counts as missing in each row.
    #[arg(long, value_name = "FIELD")]
    pub(crate) without: Vec<String>,
    /// Where an object's path names the domain: 'exports/{domain}/**'; default: the incident's path_rule.
    #[arg(long, value_name = "RULE")]
    pub(crate) path_rule: Option<String>,
    /// Domains that belong to nobody in this incident, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) shared_domains: Option<PathBuf>,
    /// Read everything, write nothing, and show the first errors.
    #[arg(long, conflicts_with_all = ["again", "corrects", "shared_domains"])]
    pub(crate) check: bool,
    /// Count a file again that was counted before.
    #[arg(long, requires = "why")]
    pub(crate) again: bool,
    /// Why again.
    #[arg(long, value_parser = reason)]
    pub(crate) why: Option<String>,
    /// The file is a corrected copy of this manifest; refused if it is not. Corrected copies are also found by themselves.
    #[arg(long, value_name = "MANIFEST", conflicts_with = "again")]
    pub(crate) corrects: Option<String>,
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("a reason is needed: it stays in the record".to_owned()) } else { Ok(text.to_owned()) }
}

/// A name on one line.
fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("a name of 1 to 100 characters on one line is needed".to_owned()) }
}

/// A value that is one of these names.
fn names_of(names: &'static [&'static str]) -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(names)
}

/// The id of an obligation that exists.
fn obligation(id: &str) -> Result<String, String> {
    match model::law::Law::builtin() {
        Ok(law) if law.obligation(id).is_some() => Ok(id.to_owned()),
        Ok(_) => Err("no obligation is called so: `forthright notice obligations` lists them".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailVerb {
    /// One RFC 5322 message on standard input: 0 = stored durably, 75 = come again.
    Receive {
        /// Recipient in the envelope.
        #[arg(long, value_name = "ADDR")]
        envelope_to: Option<String>,
        /// Sender in the envelope; "" is the null sender.
        #[arg(long, value_name = "ADDR")]
        envelope_from: Option<String>,
    },
    /// Mails that came in, as they came.
    List {
        /// Only those that are in no ticket and wait for a person.
        #[arg(long)]
        quarantine: bool,
    },
    /// One mail: what was read of it, and its whole text.
    #[command(after_help = "Example: forthright mail show inb_01ARZ3NDEKTSV4RRFFQ69G5FAV --words")]
    Show {
        /// The mail.
        #[arg(value_name = "INB")]
        mail: String,
        /// Its bytes as they came.
        #[arg(long, conflicts_with = "words")]
        raw: bool,
        /// Its whole text alone.
        #[arg(long)]
        words: bool,
    },
    /// Put a mail that is in no ticket into one: its questions are debt from now on.
    #[command(
        after_help = "Example: forthright mail attach inb_01ARZ3NDEKTSV4RRFFQ69G5FAV tkt_01ARZ3NDEKTSV4RRFFQ69G5FAV --actor ada"
    )]
    Attach {
        /// The mail.
        #[arg(value_name = "INB")]
        mail: String,
        /// The ticket.
        ticket: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TicketVerb {
    /// All tickets.
    List {
        /// The incident.
        slug: String,
    },
    /// One ticket with its questions and timeline.
    Show {
        /// The ticket.
        ticket: String,
        /// As text in the order of time, for printing.
        #[arg(long)]
        timeline: bool,
        /// With the whole text of every mail that came in.
        #[arg(long, conflicts_with = "timeline")]
        full: bool,
    },
    /// The files that came with its mails.
    Attachments {
        /// The ticket.
        ticket: String,
    },
    /// Write one of these files, under a name of yours.
    Attachment {
        /// The ticket.
        ticket: String,
        /// Its number.
        number: usize,
        /// A file that is not there yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Find words in mails, subjects, notes, questions and names of organisations.
    #[command(after_help = "Example: forthright ticket search bluebleed \"invoice contr*\"")]
    Search {
        /// The incident.
        slug: String,
        /// Words that all stand there; contr* stands for all that begin so.
        text: String,
    },
    /// What may be said to whoever asks, what is withheld, what was told, and drafts.
    Pack {
        /// The ticket.
        ticket: String,
    },
    /// Answer the same question of many organisations, each with its own facts.
    #[command(
        after_help = "Example: forthright ticket answer-many bluebleed --questions open.csv --snippet facts --preview"
    )]
    AnswerMany {
        /// The incident.
        slug: String,
        /// CSV or JSON Lines with the column question, and optionally ticket.
        #[arg(long, value_name = "FILE")]
        questions: PathBuf,
        /// The snippet; see `forthright snippet list`.
        #[arg(long, value_name = "NAME")]
        snippet: String,
        /// Say what each would get, write nothing.
        #[arg(long)]
        preview: bool,
        /// The questions are not about what of theirs was exposed: why. It is kept for a reviewer.
        #[arg(long, value_name = "WHY")]
        not_about_facts: Option<String>,
    },
    /// Questions that agents say are not about facts, with the reason: for a reviewer.
    #[command(after_help = "Example: forthright ticket not-about-facts bluebleed")]
    NotAboutFacts {
        /// The incident.
        slug: String,
    },
    /// Answer questions, by name.
    #[command(
        after_help = "Example: forthright ticket answer tkt_… --questions qst_…,qst_… --text answer.txt\n         forthright ticket answer tkt_… --questions qst_… --snippet facts"
    )]
    Answer {
        /// The ticket.
        ticket: String,
        /// The questions.
        #[arg(long, value_delimiter = ',', required = true, value_name = "Q,…")]
        questions: Vec<String>,
        /// The answer; - is standard input.
        #[arg(long, value_name = "FILE", required_unless_present = "snippet", conflicts_with = "snippet")]
        text: Option<PathBuf>,
        /// A snippet, filled with the organisation's own facts.
        #[arg(long, value_name = "NAME")]
        snippet: Option<String>,
        /// The questions are not about what of theirs was exposed: why. It is kept for a reviewer.
        #[arg(long, value_name = "WHY")]
        not_about_facts: Option<String>,
    },
    /// Promise an answer by a time.
    Promise {
        /// The ticket.
        ticket: String,
        /// The questions.
        #[arg(long, value_delimiter = ',', required = true, value_name = "Q,…")]
        questions: Vec<String>,
        /// By when.
        #[arg(long, value_name = "TIME")]
        by: Timestamp,
        /// What to say with it; - is standard input.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
    },
    /// Propose to decline questions; a second person has to agree.
    Decline {
        /// The ticket.
        ticket: String,
        /// The questions.
        #[arg(long, value_delimiter = ',', required = true, value_name = "Q,…")]
        questions: Vec<String>,
        /// The reason.
        #[arg(long)]
        why: String,
        /// When it is looked at again.
        #[arg(long, value_name = "TIME")]
        review: Timestamp,
    },
    /// Agree to decline questions, as the second person.
    DeclineApprove {
        /// The ticket.
        ticket: String,
        /// The questions.
        #[arg(long, value_delimiter = ',', required = true, value_name = "Q,…")]
        questions: Vec<String>,
    },
    /// The notice came to the wrong place: stop, settle, tell the right one.
    #[command(
        after_help = "Example: forthright ticket wrong-recipient tkt_01jq… --not-ours acme.example --why \"their lawyer wrote\"\n         forthright ticket wrong-recipient tkt_01jq… --right soc@acme.example --instead-of old@acme.example --why \"told by phone\""
    )]
    WrongRecipient {
        /// The ticket.
        ticket: String,
        /// Domains that are not theirs; without this and --right: all that they have in this incident.
        #[arg(long, value_name = "DOMAIN", conflicts_with = "right")]
        not_ours: Vec<String>,
        /// Who says that nothing is theirs, a contact: no mail of any incident goes to them until it is settled.
        #[arg(long, value_name = "EMAIL", conflicts_with_all = ["right", "not_ours"])]
        said_by: Option<String>,
        /// Somebody else there is the right one; you have checked the address.
        #[arg(long, value_name = "EMAIL")]
        right: Option<String>,
        /// Their role.
        #[arg(long, default_value = "security", requires = "right")]
        role: String,
        /// Their name.
        #[arg(long, default_value = "", requires = "right")]
        name: String,
        /// The address that is not written to any more.
        #[arg(long, value_name = "EMAIL", requires = "right")]
        instead_of: Option<String>,
        /// How we know.
        #[arg(long, value_parser = reason)]
        why: String,
    },
    /// Add an internal note.
    Note {
        /// The ticket.
        ticket: String,
        /// The note; default: standard input.
        #[arg(long, value_name = "FILE", default_value = "-")]
        text: PathBuf,
    },
    /// Say who takes care of it.
    Assign {
        /// The ticket.
        ticket: String,
        /// Who.
        agent: String,
    },
    /// Be told, by a task, when a person writes to it.
    Watch {
        /// The ticket.
        ticket: String,
        /// Who; default: the actor.
        watcher: Option<String>,
    },
    /// Watch it no more.
    Unwatch {
        /// The ticket.
        ticket: String,
        /// Who; default: the actor.
        watcher: Option<String>,
    },
    /// Put questions into a ticket of their own, with the same organisation.
    Split {
        /// The ticket.
        ticket: String,
        /// The questions that go.
        #[arg(long, value_delimiter = ',', required = true, value_name = "Q,…")]
        questions: Vec<String>,
    },
    /// Put all questions of a part into another ticket of the same organisation and incident; its mail lands there.
    Merge {
        /// The part that ends.
        ticket: String,
        /// The ticket that goes on.
        into: String,
    },
    /// Close tickets; refused while a question is open.
    Close {
        /// The tickets.
        #[arg(required = true, value_name = "T")]
        tickets: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuestionVerb {
    /// The asker took it back: a mail of theirs says so, or a second person says the same; they are told.
    Withdraw {
        /// The question.
        question: String,
        /// How we know.
        #[arg(long)]
        why: String,
        /// The mail in which they say so.
        #[arg(long, value_name = "INB")]
        mail: Option<String>,
    },
    /// Open a declined or withdrawn question again: it is debt from now on.
    Reopen {
        /// The question.
        question: String,
        /// Why it is looked at again.
        #[arg(long)]
        why: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SnippetVerb {
    /// Keep a snippet; it is checked like a template of a notice.
    #[command(after_help = "Example: forthright snippet add no-access --language de --text no-access.de.txt")]
    Add {
        /// By which it is used: a-z, 0-9 and -.
        name: String,
        /// In which language.
        #[arg(long, value_name = "TAG")]
        language: String,
        /// The passage, with the fields of a notice; - is standard input.
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
        /// For this incident alone.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
    /// The snippets that can be used.
    List {
        /// In this incident.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
    /// One snippet in all its languages.
    Show {
        /// Its name.
        name: String,
        /// In this incident.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
    /// Take a snippet out of use.
    Remove {
        /// Its name.
        name: String,
        /// In which language.
        #[arg(long, value_name = "TAG")]
        language: String,
        /// The one of this incident alone.
        #[arg(long, value_name = "SLUG")]
        incident: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Walk the chain; exit 1 names the first broken entry.
    Verify,
    /// What should have happened by now and has not; exit 1 where there is any.
    Engine,
    /// Every entry of the store as JSON Lines.
    Export {
        /// The incident the export is for (the chain is one for all).
        slug: String,
        /// The file to write.
        file: PathBuf,
    },
}
