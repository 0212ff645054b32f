//! The page where anybody checks a notice code: that it is genuine, and nothing of what the notice says.
//!
//! Changes nothing and remembers nobody but for a minute (`limits`). Invariant: a code that is mistyped, unknown, or of a
//! notice that was not sent gets the same page.

mod words;

use std::sync::Arc;

use app::App;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use model::language::Language;
use serde::Deserialize;

use crate::limits::{Client, Limits, Try};
use crate::pages::Problem;
use words::Words;

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct Page {
    language: Language,
    rehearsal: bool,
    words: &'static Words,
    typed: String,
    answer: Option<Answer>,
}

/// What the page says of a code.
struct Answer {
    /// For the eye, beside the words: `yes`, `no` or `later`.
    class: &'static str,
    title: &'static str,
    text: String,
}

/// The form, and the answer where a code was typed.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(limits): Extension<Arc<Limits>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let language = preferred(header(ACCEPT_LANGUAGE.as_str()).unwrap_or_default());
    let words = Words::of(language);
    // As much as anybody types; the rest could be a book.
    let typed: String = asked.code.trim().chars().take(40).collect();
    let mut status = StatusCode::OK;
    let answer = match typed.is_empty() {
        true => None,
        false if limits.attempt(Client::of(&headers)) == Try::TooMany => {
            status = StatusCode::TOO_MANY_REQUESTS;
            Some(Answer { class: "later", title: words.busy_title, text: words.busy.to_owned() })
        }
        false => Some(match app::notices::genuine(&app, &typed).await? {
            Some(found) => Answer { class: "yes", title: words.yes_title, text: words.yes(&found) },
            None => Answer { class: "no", title: words.no_title, text: words.no.to_owned() },
        }),
    };
    let html = Page { language, rehearsal: app.rehearsal, words, typed: harmless(&typed), answer }.render()?;
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
    }
    Ok(response)
}

/// What is shown again of what was typed: a link to this page could carry words of its own otherwise.
fn harmless(typed: &str) -> String {
    const LONGEST: usize = 16;
    let code = |char: &char| char.is_ascii_digit() || char.is_ascii_uppercase() || "- ".contains(*char);
    typed.to_ascii_uppercase().chars().filter(code).take(LONGEST).collect()
}

/// The public keys by which machine-readable notices are checked.
pub(crate) async fn keys(State(app): State<App>) -> Result<Response, Problem> {
    let keys = app::notices::public_keys(&app).await?;
    Ok(([(CONTENT_TYPE, "application/jwk-set+json")], keys.to_string()).into_response())
}

/// The schema of machine-readable notices.
pub(crate) async fn schema() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/schema+json")], model::machine::SCHEMA)
}

/// The first language of the header that letters exist in, by weight (RFC 9110 12.5.4); else English.
fn preferred(header: &str) -> Language {
    let weighed = header.split(',').take(20).filter_map(|range| {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse::<f32>().ok())?;
        Some((Language::from_tag(tag)?, weight)).filter(|(_, weight)| *weight > 0.0)
    });
    // The first of the heaviest: `max_by` would take the last.
    let heaviest = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best });
    heaviest.map_or(Language::En, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_a_code_is_shown_again() {
        assert_eq!(harmless("k7qf-2m9x 0wtr"), "K7QF-2M9X 0WTR");
        assert_eq!(harmless("<b>Call 555-0100 now!"), "BCALL 555-0100 N");
    }

    #[test]
    fn the_page_speaks_the_language_that_the_browser_prefers() {
        for (header, expected) in [
            ("", Language::En),
            ("ja", Language::Ja),
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("it,fr;q=0.5,en;q=0.4", Language::Fr),
            ("en;q=0.2, es;q=0.7", Language::Es),
            ("de;q=0, nonsense;q=x, *", Language::En),
        ] {
            assert_eq!(preferred(header), expected, "{header}");
        }
    }
}
