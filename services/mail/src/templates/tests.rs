//! Every letter rendered in every language, and what readers must find in it.

use std::collections::{BTreeMap, BTreeSet};

use model::language::Language;
use model::law::{self, Elements, Facts, Filled, Law, Told};
use model::notices::{DomainFacts, NoticeContext, STATED, TypeCount};
use model::time::Timestamp;

mod claims;
mod columns;
mod elements;
mod hostile;
mod reports;
mod traced;

use elements::{with, without};

use super::samples::{escalation, notice};
use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn facts(domain: &str, types: usize) -> DomainFacts {
    samples::facts(domain, types, &Labels::builtin().unwrap())
}

fn samples() -> Vec<NoticeContext> {
    samples::notices(&Labels::builtin().unwrap()).into_iter().map(|(_, context)| context).collect()
}

/// The sample of a name.
fn sample(name: &str) -> NoticeContext {
    let all = samples::notices(&Labels::builtin().unwrap());
    all.into_iter().find(|(known, _)| *known == name).unwrap().1
}

/// Every letter besides the notice, in every language it exists in.
fn other_letters(templates: &Templates) -> Vec<(&'static str, Language, Letter)> {
    let mut letters = Vec::new();
    for language in Language::ALL {
        letters.push(("reminder", language, templates.render_reminder(language, &samples::reminder()).unwrap()));
        letters.push(("answer", language, templates.render_answer(language, &samples::answer()).unwrap()));
        let acknowledgement = templates.render_acknowledgement(language, &samples::acknowledgement()).unwrap();
        letters.push(("acknowledgement", language, acknowledgement));
        letters.push(("promise", language, templates.render_promise(language, &samples::promise()).unwrap()));
        letters.push(("decline", language, templates.render_decline(language, &samples::decline()).unwrap()));
        let reach = reach(ReachSource::SecurityTxt);
        letters.push(("reach", language, templates.render_reach(language, &reach).unwrap()));
    }
    letters.push(("escalation", Language::En, templates.render_escalation(&escalation()).unwrap()));
    letters
}

fn reach(source: ReachSource) -> ReachContext {
    ReachContext { source, ..samples::reach() }
}

/// What a reader of the HTML sees: tags gone, entities resolved.
fn visible(html: &str) -> String {
    let body = &html[html.find("<body").unwrap()..];
    let mut text = String::new();
    for piece in body.split('<').skip(1) {
        text.push(' ');
        text.push_str(piece.split_once('>').unwrap().1);
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

fn numbers(text: &str) -> Vec<String> {
    let runs = text.split(|char: char| !char.is_ascii_digit());
    let mut numbers: Vec<String> = runs.filter(|run| !run.is_empty()).map(str::to_owned).collect();
    numbers.sort();
    numbers
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn contains(text: &str, sentences: &[&str]) {
    let text = squeezed(text);
    for sentence in sentences {
        assert!(text.contains(sentence), "`{sentence}` is missing in:\n{text}");
    }
}

#[test]
fn every_notice_states_the_same_figures_in_text_and_html() {
    let templates = Templates::builtin().unwrap();
    for (language, context) in
        Language::ALL.into_iter().flat_map(|tag| samples().into_iter().map(move |one| (tag, one)))
    {
        let letter = templates.render_notice(language, &context).unwrap().letter;
        let html = visible(letter.html.as_deref().unwrap());
        assert_eq!(numbers(&letter.text), numbers(&html));
    }
}

#[test]
fn every_fact_of_every_domain_is_stated_in_plain_digits() {
    let templates = Templates::builtin().unwrap();
    for language in Language::ALL {
        for context in samples() {
            let letter = templates.render_notice(language, &context).unwrap().letter;
            let html = letter.html.as_deref().unwrap();
            for part in [letter.text.clone(), visible(html)] {
                let stated = numbers(&part);
                for domain in &context.domains {
                    contains(&part, &[&domain.domain]);
                    let mut facts = vec![domain.rows, domain.objects, domain.emails, domain.users, domain.projects];
                    facts.extend(domain.data_types.iter().map(|one| one.objects));
                    facts.extend([domain.unknown.data_type, domain.unknown.date, domain.unknown.size]);
                    if domain.unknown.size < domain.objects {
                        facts.push(domain.bytes);
                    }
                    for fact in facts {
                        assert!(stated.contains(&fact.to_string()), "{fact} is missing");
                    }
                    for date in domain.first_date.iter().chain(&domain.last_date) {
                        contains(&part, &[date]);
                    }
                }
            }
        }
    }
}

#[test]
fn an_english_notice_says_everything_it_must() {
    let letter =
        Templates::builtin().unwrap().render_notice(Language::En, &sample("two domains, twenty types")).unwrap().letter;
    assert_eq!(
        letter.subject,
        "Security incident at Vendor Inc.: data about Contoso GmbH was exposed [K7QF-2M9X-0WTA]"
    );
    for part in [letter.text.clone(), visible(letter.html.as_deref().unwrap())] {
        contains(
            &part,
            &[
                "Vendor Inc. is writing to you because",
                "Incident reference: bluebleed",
                "Notice code: K7QF-2M9X-0WTA (version 1)",
                "Discovered: 2022-09-24 10:11 UTC",
                "A storage server could be read without a password. It held project files.",
                "Domain: xn--mnchen58-dz-thb.example (münchen58-dz.example)",
                "2017-03-01 to 2022-08-31",
                "123456789 bytes (about 123.4 MB)",
                "contoso.example: objects whose data type is not known: 3",
                "This notice does not state who opened or copied the files.",
                "The server was closed.",
                "Every question you ask stays open with us until it is answered",
                "Nothing in this notice needs a log-in, an attachment or a link",
                "by a way that you already use",
            ],
        );
    }
}

#[test]
fn a_german_notice_reads_german_throughout() {
    let letter =
        Templates::builtin().unwrap().render_notice(Language::De, &sample("two domains, twenty types")).unwrap().letter;
    assert_eq!(
        letter.subject,
        "Sicherheitsvorfall bei Vendor Inc.: Daten über Contoso GmbH lagen offen [K7QF-2M9X-0WTA]"
    );
    for part in [letter.text.clone(), visible(letter.html.as_deref().unwrap())] {
        contains(
            &part,
            &[
                "Vendor Inc. schreibt Ihnen",
                "Entdeckt: 2022-09-24 10:11 UTC",
                "Bankverbindung (bank_account)",
                "2017-03-01 bis 2022-08-31",
                "123456789 Byte (etwa 123,4 MB)",
                "Objekte, deren Datenart nicht bekannt ist: 3",
                "Jede Frage bleibt bei uns offen, bis sie beantwortet ist",
            ],
        );
        for english in ["not known", "Objects", "Reply", "exposed", "What"] {
            assert!(!part.contains(english), "{english}");
        }
    }
}

#[test]
fn a_notice_in_each_further_language_reads_like_one() {
    #[rustfmt::skip]
    let said: [(Language, [&str; 6]); 3] = [
        (Language::Es, ["{v} le escribe", "Descubierto: 2022-09-24 10:11 UTC", "Número de cuenta bancaria (bank_account)", "del 2017-03-01 al 2022-08-31", "123456789 bytes (unos 123,4 MB)", "hasta que se responda"]),
        (Language::Fr, ["{v} vous écrit", "Découvert le : 2022-09-24 10:11 UTC", "Coordonnées bancaires (bank_account)", "du 2017-03-01 au 2022-08-31", "123456789 octets (environ 123,4 Mo)", "jusqu’à ce qu’elle ait reçu une réponse"]),
        (Language::Ja, ["{v} より", "発見日時: 2022-09-24 10:11 UTC", "銀行口座番号（bank_account）", "2017-03-01 から 2022-08-31 まで", "123456789 バイト（約 123.4 MB）", "未解決のまま管理"]),
    ];
    let templates = Templates::builtin().unwrap();
    for (language, sentences) in said {
        let letter = templates.render_notice(language, &sample("two domains, twenty types")).unwrap().letter;
        for part in [letter.text.clone(), visible(letter.html.as_deref().unwrap())] {
            // A line of Japanese is folded between characters.
            let whole = |text: &str| text.split_whitespace().collect::<String>();
            for sentence in sentences {
                let sentence = sentence.replace("{v}", "Vendor Inc.");
                assert!(whole(&part).contains(&whole(&sentence)), "{sentence} is missing in:\n{part}");
            }
            for english in ["not known", "Objects", "Reply", "exposed", "What", " notice "] {
                assert!(!part.contains(english), "{language}: {english}");
            }
        }
    }
}

#[test]
fn what_nobody_stated_is_said_openly() {
    let templates = Templates::builtin().unwrap();
    let bare = templates.render_notice(Language::En, &sample("nothing stated, a supplement")).unwrap().letter;
    for part in [bare.text.clone(), visible(bare.html.as_deref().unwrap())] {
        contains(&part, &["has not stated yet what happened", "has not stated yet what was done"]);
        contains(&part, &["This notice supplements our notice of 2022-09-26 10:11 UTC [3XHW-8P2D-77QK]"]);
    }
    assert!(bare.subject.contains(": new facts about the exposed data of "));
    let unknown = templates.render_notice(Language::En, &sample("nothing known")).unwrap().letter;
    contains(&unknown.text, &["Document dates: not known", "Size: not known", "no type is known"]);
    contains(&unknown.text, &["document date is not known: 412", "whose size is not known: 412"]);
}

#[test]
fn what_is_not_known_says_what_and_why_and_when_more_is_said_in_every_language() {
    let templates = Templates::builtin().unwrap();
    let words = [
        (Language::De, "nicht bekannt ist: 412. Kein Verweis auf diese Objekte", "hat noch keinen Tag genannt"),
        (Language::En, "is not known: 412. No reference to them states it.", "has not set a day yet"),
        (Language::Es, "no se conoce: 412. Ninguna referencia a ellos", "no ha fijado todavía un día"),
        (Language::Fr, "est inconnue : 412. Aucune référence à ces objets", "n’a pas encore fixé de jour"),
        (Language::Ja, "不明なオブジェクト: 412（これらへの参照に記載がないため）", "時期をまだ定めていません"),
    ];
    assert_eq!(words.map(|(language, ..)| language), Language::ALL);
    // Japanese is folded anywhere.
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    for (language, why, no_day) in words {
        let parts = |context: &NoticeContext| {
            let letter = templates.render_notice(language, context).unwrap().letter;
            [bare(&letter.text), bare(&visible(letter.html.as_deref().unwrap()))]
        };
        let (why, no_day) = (bare(why), bare(no_day));
        let reason = &why[why.find("412").unwrap()..];
        let mut context = sample("nothing known");
        context.incident.statements.clear();
        for part in parts(&context) {
            assert!(part.contains(&why) && part.contains(&no_day), "{language}\n{part}");
            assert_eq!(part.matches(reason).count(), 3, "type, date and size: {language}\n{part}");
        }
        context.incident.state("next_update", "By 2022-10-15.").unwrap();
        // What is withheld says why, and by when that is decided again.
        context.withheld = vec![model::withholding::Withheld {
            fact: "users".to_owned(),
            also: Vec::new(),
            domain: None,
            why: "The police asked.".to_owned(),
            review_at: time("2022-12-01T09:00:00Z"),
        }];
        for part in parts(&context) {
            assert!(part.contains("By2022-10-15.") && !part.contains(&no_day), "{language}\n{part}");
            assert!(part.contains("Thepoliceasked.") && part.contains("2022-12-0109:00UTC"), "{language}\n{part}");
        }
    }
}

#[test]
fn a_known_size_of_zero_is_stated_as_zero() {
    let mut context = sample("one domain without types");
    context.domains[0].bytes = 0;
    let letter = Templates::builtin().unwrap().render_notice(Language::En, &context).unwrap().letter;
    contains(&letter.text, &["Size: 0 bytes - E-mail"]);
}

#[test]
fn advice_follows_the_types() {
    let templates = Templates::builtin().unwrap();
    let mut context = notice(vec![facts("contoso.example", 0)]);
    context.domains[0].emails = 0;
    let none = templates.render_notice(Language::En, &context).unwrap().letter.text;
    context.domains[0].data_types.push(TypeCount { id: "api_key".to_owned(), objects: 1 });
    let some = templates.render_notice(Language::En, &context).unwrap().letter.text;
    assert!(!none.contains("Replace the access data") && some.contains("Replace the access data"));
    assert!(!some.contains("Warn the people"));
}

#[test]
fn advice_names_whose_it_is_in_the_readers_language() {
    let templates = Templates::builtin().unwrap();
    let mut context = notice(vec![facts("contoso.example", 0)]);
    context.domains[0].data_types.push(TypeCount { id: "api_key".to_owned(), objects: 1 });
    for (language, words) in [
        (Language::En, "(Source: FTC, USA)"),
        (Language::De, "(Quelle: FTC, USA)"),
        (Language::Es, "(fuente: FTC, USA)"),
        (Language::Ja, "（出典: FTC, USA）"),
    ] {
        let letter = templates.render_notice(language, &context).unwrap().letter;
        for part in [letter.text.clone(), visible(letter.html.as_deref().unwrap())] {
            contains(&part, &[words]);
        }
    }
}

#[test]
fn what_the_vendor_states_stands_under_a_heading_of_its_own() {
    let templates = Templates::builtin().unwrap();
    let said = templates.render_notice(Language::En, &sample("one domain without types")).unwrap().letter;
    let silent = templates.render_notice(Language::En, &sample("nothing stated, a supplement")).unwrap().letter;
    for (said, silent) in [
        (said.text.clone(), silent.text.clone()),
        (visible(said.html.as_deref().unwrap()), visible(silent.html.as_deref().unwrap())),
    ] {
        contains(&said, &["When it happened: Words on date_of_breach. And more."]);
        contains(&said, &["Why you hear of this only now: Words on delay_reason. And more."]);
        for id in STATED {
            assert_eq!(said.matches(&format!("Words on {id}.")).count(), 1, "{id}");
        }
        for heading in ["When it happened", "Likely consequences", "Why you hear of this", "What is planned"] {
            assert!(!silent.contains(heading), "{heading}");
        }
    }
}

#[test]
fn special_characters_are_escaped_in_html_and_plain_in_text() {
    let mut context = sample("one domain, one type");
    context.tenant_name = "<b>&\"\r\nBcc: eve@evil.example".to_owned();
    context.domains[0].data_types = vec![TypeCount { id: "<script>x</script>".to_owned(), objects: 1 }];
    let letter = Templates::builtin().unwrap().render_notice(Language::En, &context).unwrap().letter;
    let html = letter.html.unwrap();
    assert!(letter.subject.contains("<b>&\" Bcc: eve@evil.example") && !letter.subject.contains('\n'));
    assert!(letter.text.contains("<b>&\"") && letter.text.contains("- <script>x</script>: 1"));
    assert!(html.contains("&lt;b&gt;&amp;&quot;") && !html.contains("<b>") && !html.contains("<script"));
}

#[test]
fn html_is_plain_small_and_names_its_language() {
    let templates = Templates::builtin().unwrap();
    for language in Language::ALL {
        for context in samples() {
            let html = templates.render_notice(language, &context).unwrap().letter.html.unwrap();
            assert!(html.len() < 100_000, "{} bytes", html.len());
            assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\""), "{}", &html[..60]);
            assert!(html.contains(&format!("lang=\"{language}\"")));
            for forbidden in ["<a ", "<img", "<script", "<link", "href", "src=", "http:", "url(", "{{"] {
                assert!(!html.contains(forbidden), "{forbidden}");
            }
            let (head, body) = html.split_once("<body").unwrap();
            assert!(
                head.contains("<meta name=\"color-scheme\" content=\"light dark\">") && head.contains("dir=\"ltr\"")
            );
            assert_eq!(
                (head.matches("<style>").count(), body.contains("<style"), body.contains("color:")),
                (1, false, false)
            );
            for tag in ["table", "tr", "td", "th", "ul", "li", "p", "h1", "h2", "h3", "caption", "body", "html"] {
                let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }
}

#[test]
fn every_other_letter_renders_and_keeps_its_promises() {
    let templates = Templates::builtin().unwrap();
    let letters = other_letters(&templates);
    assert_eq!(letters.len(), 6 * Language::ALL.len() + 1);
    for (kind, language, letter) in &letters {
        assert!(letter.html.is_none());
        assert!(!letter.subject.is_empty() && !letter.subject.contains('\n'), "{kind} {language}");
        assert!(letter.text.ends_with('\n') && !letter.text.contains("\n\n\n"), "{kind} {language}");
        assert!(letter.text.lines().all(|line| output::columns(line) <= 78), "{kind} {language}:\n{}", letter.text);
        assert!(!letter.text.contains("{{") && !letter.text.contains("&amp;"), "{kind} {language}");
        if ["acknowledgement", "answer", "promise", "decline", "escalation"].contains(kind) {
            assert!(letter.text.contains("> Which files?\n> And whose?\n"), "{kind} {language}");
            assert!(letter.text.contains("> Was <b>our</b> key in it?"), "{kind} {language}");
        }
    }
    let text = |kind, language| {
        let found = letters.iter().find(|one| one.0 == kind && one.1 == language);
        found.map(|one| one.2.text.clone()).unwrap()
    };
    contains(&text("reminder", Language::En), &["On 2022-09-30 10:11 UTC Vendor Inc. sent you"]);
    contains(&text("reminder", Language::De), &["Contoso & Söhne", "Bisher haben wir kein Zeichen"]);
    contains(&text("answer", Language::En), &["These two files: - a.pdf - b.pdf"]);
    contains(&text("promise", Language::En), &["promises you an answer by 2022-10-20 10:11 UTC"]);
    contains(&text("promise", Language::De), &["sagt Ihnen eine Antwort bis 2022-10-20 10:11 UTC zu"]);
    contains(&text("decline", Language::En), &["The police asked us not to say.", "You can object", "2022-12-01"]);
    contains(&text("decline", Language::De), &["Sie können widersprechen", "Zwei Personen"]);
    contains(
        &text("escalation", Language::En),
        &["qst_1, asked 2022-10-04", "ticket show tkt_1", "Next rung: 2022-10-11"],
    );
}

#[test]
fn a_letter_to_an_unconfirmed_address_says_where_it_is_from_and_no_more() {
    let templates = Templates::builtin().unwrap();
    let text = |source, language| templates.render_reach(language, &reach(source)).unwrap().text;
    let origins = [
        (
            ReachSource::SecurityTxt,
            "in the security.txt of contoso.example on 2022-10-01.",
            "2022-10-01 in der security.txt",
        ),
        (
            ReachSource::Rdap,
            "in the registration data (RDAP) of contoso.example on",
            "in den Registrierungsdaten (RDAP)",
        ),
        (ReachSource::RoleMailbox, "Nobody gave us this address", "hat uns niemand genannt"),
    ];
    for (source, english, german) in origins {
        let (en, de) = (text(source, Language::En), text(source, Language::De));
        contains(
            &en,
            &[english, "Vendor Inc. needs to reach", "we name no details", "reply to this mail", "call us by"],
        );
        contains(&de, &[german, "nennen wir keine Einzelheiten", "rufen Sie uns unter einer Telefonnummer an"]);
        for others in origins.iter().filter(|origin| origin.0 != source) {
            assert!(!squeezed(&en).contains(others.1) && !squeezed(&de).contains(others.2));
        }
        let date = if source == ReachSource::RoleMailbox { vec![] } else { vec!["01", "10", "2022"] };
        assert_eq!((numbers(&en), numbers(&de)), (date.iter().map(ToString::to_string).collect(), numbers(&en)));
    }
}

#[test]
fn an_escalation_without_questions_or_further_rungs_says_so() {
    let context = EscalationContext { open_questions: Vec::new(), next_rung_at: None, ..escalation() };
    let letter = Templates::builtin().unwrap().render_escalation(&context).unwrap();
    contains(&letter.text, &["No question is open.", "Next rung: none, this is the last"]);
}

#[test]
fn fixed_text_holds_no_figures_and_asks_no_questions() {
    for (name, source) in set::SOURCES.iter().filter(|(name, _)| name.ends_with(".text")) {
        // What a support desk reads out is sent to nobody.
        let asks = source.contains(['?', '？', '¿']) && !name.starts_with("report/support/");
        assert!(!asks, "{name}: a quoted letter would look like a question");
        assert!(!source.chars().any(|char| char.is_ascii_digit()), "{name}");
    }
}

#[test]
fn a_misspelt_path_is_an_error_wherever_it_stands() {
    let context = Context::wraps(serde_json::json!({ "named": "x", "list": [{ "a": 1 }], "nothing": null })).unwrap();
    let render = |source: &'static str| {
        let templates = Templates::compile([("notice/en.text", source)].into_iter()).unwrap();
        templates.part(Kind::Notice, Language::En, Part::Text, &context).map(|part| part.text)
    };
    assert_eq!(render("{{#when named}}{{named}}{{/when}}{{#whenNot named}}no{{/whenNot}}").unwrap(), "x\n");
    for source in [
        "{{nmaed}}",
        "{{#when nmaed}}x{{/when}}",
        "{{#whenNot nmaed}}x{{/whenNot}}",
        "{{#when nothing}}x{{/when}}",
        "{{#each lsit}}x{{/each}}",
        "{{#each list}}{{b}}{{/each}}",
        "{{#each list}}{{#whenNot b}}no secrets{{/whenNot}}{{/each}}",
        "{{quote nmaed}}",
        "{{quote list}}",
    ] {
        assert!(matches!(render(source), Err(TemplateError::Render { .. })), "{source}");
    }
}

#[test]
fn a_letter_without_end_is_cut_off_with_an_error() {
    let list = vec!["x".repeat(1_000); 1_001];
    let context = Context::wraps(serde_json::json!({ "list": list })).unwrap();
    let source = "{{#each list}}{{this}}{{/each}}";
    let templates = Templates::compile([("notice/en.text", source)].into_iter()).unwrap();
    let error = templates.part(Kind::Notice, Language::En, Part::Text, &context).map(|part| part.text).unwrap_err();
    assert!(matches!(error, TemplateError::TooLong { .. }), "{error}");
}

#[test]
fn every_label_exists_in_every_language_and_an_unknown_id_shows_itself() {
    let labels = Labels::builtin().unwrap();
    for language in Language::ALL {
        assert_eq!(labels.ids(language), labels.ids(Language::En), "{language}");
        for kind in model::taxonomy::Taxonomy::builtin().types() {
            assert_ne!(labels.describe(language, &kind.id), kind.id, "{language} has no label for {}", kind.id);
        }
    }
    assert_eq!(labels.describe(Language::Fr, "invoice"), "Facture (invoice)");
    assert_eq!(labels.describe(Language::Ja, "invoice"), "請求書（invoice）");
    assert_eq!(labels.describe(Language::De, "invoice"), "Rechnung (invoice)");
    assert_eq!(labels.describe(Language::De, "Blaupause\n"), "Blaupause");
}

#[test]
fn the_check_of_the_builtin_set_finds_nothing_and_a_figure_for_each_language() {
    let checked = Templates::builtin().unwrap().check().unwrap();
    assert_eq!(checked.len(), 11 * Language::ALL.len() + 1);
    for one in &checked {
        assert_eq!(one.errors, Vec::<String>::new(), "{}", one.template);
        assert!(one.samples > 0 && one.placeholders > 4 && one.columns <= 78 && one.own.is_none(), "{one:?}");
        let (notice, found) = (one.kind == Kind::Notice, one.readability.unwrap());
        assert_eq!((notice, notice), (one.elements > 25, one.html_bytes > 10_000), "{one:?}");
        // Letters to people in a hurry: as hard as a newspaper, no harder than a contract.
        let bearable = if one.language == Language::Ja { 15.0..=60.0 } else { 25.0..=90.0 };
        assert!(one.kind == Kind::Escalation || bearable.contains(&found.score), "{} {found:?}", one.template);
    }
}

#[test]
fn the_check_names_what_is_wrong_with_the_line() {
    let good = own::builtin(Kind::Notice, Language::Fr);
    let text = String::from_utf8(good.text.to_vec()).unwrap();
    let html = String::from_utf8(good.html.unwrap().to_vec()).unwrap();
    let (text, html) = (without(&text, "cause"), without(&html, "cause"));
    let own = Own::check(&Submitted { text: text.as_bytes(), html: Some(html.as_bytes()), ..good }).unwrap();
    let changes = own.changes().unwrap();
    assert_eq!(changes.elements_removed, ["cause"]);
    assert_eq!(changes.placeholders_removed, ["stated.cause", "stated.cause[]"]);
    assert!(changes.elements_added.is_empty() && changes.placeholders_added.is_empty());
    let version = own.version();
    let templates = Templates::with(vec![own]).unwrap();
    for one in templates.check().unwrap() {
        let expect: &[&str] = match one.template.as_str() {
            "notice/fr" => &[
                "template notice/fr, line 1: its elements are not those of notice/en (cause): say the same in each language",
            ],
            _ => &[],
        };
        assert_eq!(one.errors, expect);
    }
    let both = [Language::En, Language::Fr];
    assert_eq!(templates.version(Kind::Notice, both.into_iter()), format!("{VERSION}+fr:{version}"));
    assert_eq!(templates.version(Kind::Notice, both.into_iter().take(1)), VERSION);
    assert_eq!(templates.version(Kind::Reminder, both.into_iter()), VERSION);
}

/// Everything the context of a report can hold, read as a text about its own facts.
fn contradictions(text: &str, context: &ReportContext, labels: &Labels) -> Vec<model::report::Finding> {
    contradictions_where(text, context, labels, Vec::new())
}

/// The same, with some facts withheld from everybody.
fn contradictions_where(
    text: &str,
    context: &ReportContext,
    labels: &Labels,
    withheld: Vec<String>,
) -> Vec<model::report::Finding> {
    let incident = &context.incident;
    let dates = context
        .period
        .clone()
        .map(|(first, last)| model::report::PERIOD.map(str::to_owned).into_iter().zip([first, last]));
    let facts = model::report::Facts {
        figures: context.figures.clone().into_iter().collect(),
        discovered: incident.discovered_at.to_string().chars().take(10).collect(),
        dates: dates.into_iter().flatten().collect(),
        types: context.types.iter().map(|one| (one.id.clone(), one.objects)).collect(),
        labels: labels.all(),
        withheld,
    };
    let mut found = model::report::check(text, &facts);
    found.retain(|one| one.finding.refuses());
    found
}

#[test]
fn a_report_contradicts_none_of_its_facts_whatever_data_type_there_is() {
    let (templates, labels) = (Templates::builtin().unwrap(), Labels::builtin().unwrap());
    let full = samples::whole(&labels);
    let alone =
        |id: &str| ReportContext { types: vec![TypeCount { id: id.to_owned(), objects: 1_013 }], ..full.clone() };
    let check = |kind: Kind, language: Language, context: &ReportContext| {
        let (letter, _) = templates.render_report(kind, language, context).unwrap();
        let found = contradictions(&letter.text, context, &labels);
        assert!(found.is_empty(), "{language} {found:?}");
    };
    for kind in [Kind::Regulator, Kind::Press, Kind::Support] {
        for language in Language::ALL {
            for (_, context) in samples::reports(&labels) {
                check(kind, language, &context);
            }
        }
    }
    // The advice differs by type.
    for id in labels.ids(Language::En) {
        let context = alone(id);
        let facts = DomainFacts { data_types: context.types.clone(), ..facts("contoso.example", 0) };
        for language in Language::ALL {
            let advice = model::advice::Advice::for_facts(std::slice::from_ref(&facts));
            let text: Vec<&str> = advice.iter().map(|advice| advice.text(language)).collect();
            let found = contradictions(&text.join("\n"), &context, &labels);
            assert!(found.is_empty(), "{language} {id}: {found:?}");
        }
    }
}

#[test]
fn a_report_to_an_authority_has_a_place_for_each_element_of_its_obligation_and_says_what_is_not_stated() {
    let (templates, labels) = (Templates::builtin().unwrap(), Labels::builtin().unwrap());
    let row = Law::builtin().unwrap().obligation("eu-gdpr-33-authority").unwrap();
    let bare = samples::reports(&labels).into_iter().find(|(name, _)| *name == "nothing stated").unwrap().1;
    for language in Language::ALL {
        let (_, elements) = templates.render_report(Kind::Regulator, language, &samples::whole(&labels)).unwrap();
        for element in &row.elements {
            assert_eq!(elements.get(element), Some(&Content::Filled), "{language}: {element}");
        }
        let (letter, elements) = templates.render_report(Kind::Regulator, language, &bare).unwrap();
        let empty: Vec<&str> = with(&elements, Content::Empty)
            .into_iter()
            .filter(|id| row.elements.iter().any(|there| there == id))
            .collect();
        let expect = [
            "affected_count",
            "contact_point",
            "data_subject_categories",
            "data_types",
            "likely_consequences",
            "measures_planned",
            "measures_taken",
            "what_happened",
        ];
        assert_eq!(empty, expect, "{language}");
        assert!(
            letter.text.contains("1,648,458")
                || letter.text.contains("1.648.458")
                || letter.text.contains("1\u{202f}648\u{202f}458")
        );
    }
}

#[test]
fn every_file_of_the_set_is_embedded() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    for (name, source) in set::SOURCES {
        assert_eq!(std::fs::read_to_string(root.join(format!("{name}.hbs"))).unwrap(), source);
    }
    let letters = Kind::ALL.map(|kind| root.join(kind.name()));
    let files = letters.into_iter().flat_map(|path| std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()));
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "hbs")).count();
    assert_eq!(files, set::SOURCES.len());
    assert_eq!(VERSION.len(), 16);
}
