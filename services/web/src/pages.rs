//! The pages: the incidents, one incident, what one organisation was told, and what monitors ask.
//!
//! Fetches through `app` only. Invariant: a fault is logged once, here, and shown with its next step.

use std::time::Duration;

use app::notices::Log;
use app::overview::Overview;
use app::tickets::{Pack, Timeline};
use app::{App, AppError};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use model::printed::printed;
use serde::Deserialize;

use crate::view;

/// How long the database may take before this host counts as not ready.
const READY: Duration = Duration::from_secs(2);
const STYLE: &str = include_str!("../../../templates/pages/style.css");

/// Which page of organisations.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Page {
    /// The tenant id that the page follows; empty = the first page.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct Incidents {
    rehearsal: bool,
    incidents: Vec<Listed>,
}

/// An incident in the list.
struct Listed {
    slug: String,
    title: String,
    vendor: String,
    discovered_at: i64,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Incident {
    rehearsal: bool,
    after: String,
    overview: Overview,
}

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage {
    rehearsal: bool,
    timeline: Timeline,
    pack: Pack,
}

#[derive(Template)]
#[template(path = "organisation.html")]
struct Organisation {
    rehearsal: bool,
    log: Log,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    rehearsal: bool,
    what: String,
    hint: String,
}

/// Why there is no page.
pub(crate) struct Problem {
    status: StatusCode,
    what: String,
    hint: String,
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let hint = error.hint().unwrap_or_default().to_owned();
        let status = match &error {
            AppError::Missing { .. } => StatusCode::NOT_FOUND,
            _ => {
                tracing::error!(%error, "a page cannot be shown");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self { status, what: error.to_string(), hint }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page cannot be written");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            what: "the page cannot be written".to_owned(),
            hint: "this is a fault of the program: please report it".to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let page = ProblemPage { rehearsal: false, what: self.what, hint: self.hint };
        match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => (self.status, page.what).into_response(),
        }
    }
}

/// The incidents, or the page of the only one.
pub(crate) async fn start(State(app): State<App>, Query(page): Query<Page>) -> Result<Html<String>, Problem> {
    let incidents = app::incidents::list(&app).await?;
    if let [only] = incidents.as_slice() {
        return show(&app, &only.slug, page).await;
    }
    let listed = incidents.into_iter().map(|row| Listed {
        slug: row.slug,
        title: row.title,
        vendor: row.vendor,
        discovered_at: row.discovered_at,
    });
    Ok(Html(Incidents { rehearsal: app.rehearsal, incidents: listed.collect() }.render()?))
}

/// The one page of an incident.
pub(crate) async fn incident(
    State(app): State<App>,
    Path(slug): Path<String>,
    Query(page): Query<Page>,
) -> Result<Html<String>, Problem> {
    show(&app, &slug, page).await
}

async fn show(app: &App, slug: &str, page: Page) -> Result<Html<String>, Problem> {
    let overview = app::overview::overview(app, slug, &page.after).await?;
    Ok(Html(printed(&Incident { rehearsal: overview.rehearsal, after: page.after, overview }.render()?)))
}

/// One ticket: what its answer is made from, and its timeline, which alone is printed.
pub(crate) async fn ticket(State(app): State<App>, Path(ticket): Path<String>) -> Result<Html<String>, Problem> {
    let timeline = app::tickets::timeline(&app, &ticket).await?;
    let pack = app::tickets::pack(&app, &ticket).await?;
    Ok(Html(printed(&TicketPage { rehearsal: app.rehearsal, timeline, pack }.render()?)))
}

/// What one organisation was told, version by version.
pub(crate) async fn organisation(
    State(app): State<App>,
    Path((slug, tenant)): Path<(String, String)>,
) -> Result<Html<String>, Problem> {
    let log = app::notices::log(&app, &slug, &tenant).await?;
    Ok(Html(printed(&Organisation { rehearsal: app.rehearsal, log }.render()?)))
}

/// This process runs.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let why = match tokio::time::timeout(READY, app::incidents::stopped_since(&app)).await {
        Ok(Ok(_)) => return ready(&app).await.into_response(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the database has not answered within {} s", READY.as_secs()),
    };
    tracing::warn!(why, "not ready");
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response()
}

/// Ready; and what this installation does not do although it should. A mailbox that cannot be reached takes nobody's page
/// away, so it changes no status.
async fn ready(app: &App) -> String {
    let mut said = "ready\n".to_owned();
    match app::mailboxes::standing(app).await {
        Ok(mailboxes) => said.extend(mailboxes.iter().filter_map(|mailbox| {
            let since = mailbox.failing_since?;
            Some(format!(
                "degraded: no mail is taken from mailbox {} since {since}; see forthright doctor\n",
                mailbox.name
            ))
        })),
        Err(error) => tracing::warn!(%error, "mailboxes could not be asked for"),
    }
    said
}

/// The looks.
pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// Any other path.
pub(crate) async fn nothing_here() -> Problem {
    Problem {
        status: StatusCode::NOT_FOUND,
        what: "there is no such page".to_owned(),
        hint: "the list of incidents is at /".to_owned(),
    }
}

#[cfg(test)]
mod tests;
