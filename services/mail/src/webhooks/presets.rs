//! The words of each receiver, as its makers document them.
//!
//! Signs and sends nothing. Invariant: whatever stands in an event (an id of a directory, a name of a person) mentions nobody,
//! formats nothing and leads nowhere: marks are escaped as each receiver has it, and the one link is our own.

use model::webhooks::{Event, EventKind, Preset};
use serde_json::{Value, json};

use super::{Outgoing, Receiver};

/// Where a body goes, with what was not stored.
pub(super) struct Addressed {
    pub(super) url: String,
    pub(super) body: String,
    pub(super) header: Option<(&'static str, String)>,
}

/// The body that is stored.
pub(super) fn body(preset: Preset, event: &Event, alert: &str) -> Option<String> {
    let said = Said::of(event);
    let body = match preset {
        Preset::Standard => return serde_json::to_string(event).ok(),
        // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
        Preset::Slack => {
            let text = said.text(slack, |text, link| format!("{text} <{link}|open>"));
            json!({ "text": text, "link_names": 0, "parse": "none", "unfurl_links": false })
        }
        // https://developers.mattermost.com/integrate/webhooks/incoming/
        Preset::Mattermost => json!({ "text": said.text(markdown, |text, link| format!("{text} [open]({link})")) }),
        Preset::Teams => teams(&said),
        // https://developers.google.com/workspace/chat/quickstart/webhooks
        Preset::GoogleChat => json!({ "text": said.text(google, |text, link| format!("{text} <{link}|open>")) }),
        // https://discord.com/developers/docs/resources/webhook#execute-webhook
        Preset::Discord => json!({
            "content": said.text(markdown, |text, link| format!("{text} <{link}>")),
            "allowed_mentions": { "parse": [] },
        }),
        Preset::Pagerduty => pagerduty(&said, event, alert)?,
        Preset::Opsgenie => opsgenie(&said, event, alert)?,
        Preset::Alertmanager => alertmanager(&said, event, alert)?,
        // https://docs.ntfy.sh/publish/#publish-as-json; the topic is part of the address.
        Preset::Ntfy => {
            let priority = if event.kind == EventKind::Fired { 4 } else { 3 };
            let mut body = json!({ "title": said.title, "message": said.line, "priority": priority });
            if let Some(link) = &said.link {
                body["click"] = json!(link);
            }
            body
        }
    };
    Some(body.to_string())
}

/// Adds what stands in the configuration alone.
pub(super) fn addressed(receiver: &Receiver<'_>, message: &Outgoing<'_>) -> Result<Addressed, String> {
    let (url, body) = (receiver.url.trim().to_owned(), message.body.to_owned());
    let plain = |url, body| Ok(Addressed { url, body, header: None });
    match receiver.preset {
        Preset::Pagerduty => plain(url, with(&body, "routing_key", needed(receiver.key, "routing key")?)?),
        Preset::Opsgenie => {
            let path = match message.kind {
                EventKind::Acknowledged => format!("/{}/acknowledge?identifierType=alias", message.alert),
                EventKind::Ended => format!("/{}/close?identifierType=alias", message.alert),
                EventKind::Fired | EventKind::Question | EventKind::Test => String::new(),
            };
            let header = Some(("authorization", format!("GenieKey {}", needed(receiver.key, "API key")?)));
            Ok(Addressed { url: format!("{}{path}", url.trim_end_matches('/')), body, header })
        }
        Preset::Ntfy => {
            let (server, topic) = url
                .rsplit_once('/')
                .filter(|(server, topic)| server.len() > 8 && !topic.is_empty())
                .ok_or("the address names no topic: write it as in https://ntfy.example/topic")?;
            plain(format!("{server}/"), with(&body, "topic", topic)?)
        }
        Preset::Standard
        | Preset::Slack
        | Preset::Mattermost
        | Preset::Teams
        | Preset::GoogleChat
        | Preset::Discord
        | Preset::Alertmanager => plain(url, body),
    }
}

fn needed<'a>(key: &'a str, what: &str) -> Result<&'a str, String> {
    if key.is_empty() { Err(format!("there is no {what}: name its file in key_file")) } else { Ok(key) }
}

fn with(body: &str, name: &str, value: &str) -> Result<String, String> {
    let mut body: Value = serde_json::from_str(body).map_err(|error| format!("the stored body is no JSON: {error}"))?;
    body[name] = json!(value);
    Ok(body.to_string())
}

/// An event for people.
struct Said {
    title: String,
    line: String,
    link: Option<String>,
}

impl Said {
    fn of(event: &Event) -> Self {
        let data = &event.data;
        let mark = if data.rehearsal { "REHEARSAL: " } else { "" };
        let about = match (data.ticket.as_str(), data.tenant.as_str()) {
            ("", "") => format!("incident {}", data.incident),
            ("", tenant) => format!("tenant {tenant}, incident {}", data.incident),
            (ticket, tenant) => format!("ticket {ticket} of tenant {tenant}, incident {}", data.incident),
        };
        let ladder = data.escalation.as_ref();
        let policy = ladder.map_or("", |ladder| ladder.policy.as_str());
        let (title, line) = match event.kind {
            EventKind::Fired => {
                let rung = ladder.and_then(|ladder| ladder.rung.as_ref());
                let (number, target) = rung.map_or((0, ""), |rung| (rung.number, rung.target.as_str()));
                let due = rung.map_or_else(String::new, |rung| format!(", due {}", rung.due_at));
                let next = match rung.and_then(|rung| rung.next_at) {
                    Some(at) => format!("; next rung {at}"),
                    None => "; this was the last rung".to_owned(),
                };
                (format!("{policy}, rung {number}: {target}"), format!("{about}{due}{next}"))
            }
            EventKind::Acknowledged => {
                let by = ladder.and_then(|ladder| ladder.acknowledged_by.as_deref()).unwrap_or("somebody");
                (format!("{policy} acknowledged by {by}"), about)
            }
            EventKind::Ended => (format!("{policy} ended"), format!("{about}: the reason is gone")),
            EventKind::Question => match data.questions.len() {
                1 => ("1 new question".to_owned(), about),
                count => (format!("{count} new questions"), about),
            },
            EventKind::Test => (
                "a test of this webhook".to_owned(),
                "nothing has happened: somebody tries whether calls arrive".to_owned(),
            ),
        };
        Self { title: format!("{mark}Forthright: {title}"), line, link: data.link.clone() }
    }

    /// Both lines, escaped, and the link as the receiver writes one.
    fn text(&self, escape: fn(&str) -> String, link: fn(String, &str) -> String) -> String {
        let text = format!("{}\n{}", escape(&self.title), escape(&self.line));
        match &self.link {
            Some(to) => link(text, to),
            None => text,
        }
    }
}

/// Slack: what would be a mention or a link is text.
fn slack(text: &str) -> String {
    replaced(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '*' => Some("*\u{200b}"),
        '~' => Some("~\u{200b}"),
        '`' => Some("`\u{200b}"),
        _ => None,
    })
}

/// Google Chat, which has no escapes: marks become others that look like them.
fn google(text: &str) -> String {
    replaced(text, |c| match c {
        '<' => Some("\u{2039}"),
        '>' => Some("\u{203a}"),
        '*' => Some("*\u{200b}"),
        '~' => Some("~\u{200b}"),
        '`' => Some("`\u{200b}"),
        _ => None,
    })
}

/// Markdown of Mattermost, Discord and Teams: a backslash before each mark.
fn markdown(text: &str) -> String {
    replaced(text, |c| match c {
        '\\' => Some("\\\\"),
        '`' => Some("\\`"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '(' => Some("\\("),
        ')' => Some("\\)"),
        '#' => Some("\\#"),
        '!' => Some("\\!"),
        '|' => Some("\\|"),
        '~' => Some("\\~"),
        '<' => Some("\\<"),
        '>' => Some("\\>"),
        _ => None,
    })
}

/// On one line and with these escapes; a space of no width takes the meaning from what has none: `@`, and what makes a
/// link of a text by itself.
fn replaced(text: &str, escape: fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        match escape(c) {
            Some(escaped) => out.push_str(escaped),
            None if c == '@' => out.push_str("@\u{200b}"),
            None => out.push(c),
        }
    }
    out.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}

/// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
fn teams(said: &Said) -> Value {
    let block = |text: &str, weight: &str| json!({ "type": "TextBlock", "text": markdown(text), "wrap": true, "weight": weight });
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [block(&said.title, "Bolder"), block(&said.line, "Default")],
    });
    if let Some(link) = &said.link {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open", "url": link }]);
    }
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card }],
    })
}

/// https://developer.pagerduty.com/docs/send-alert-event; the routing key is added when it is sent.
fn pagerduty(said: &Said, event: &Event, alert: &str) -> Option<Value> {
    let action = match event.kind {
        EventKind::Fired | EventKind::Test => "trigger",
        EventKind::Acknowledged => "acknowledge",
        EventKind::Ended => "resolve",
        // An alert that nothing would ever resolve.
        EventKind::Question => return None,
    };
    let mut body = json!({ "event_action": action, "dedup_key": alert });
    if action == "trigger" {
        body["client"] = json!("Forthright");
        body["payload"] = json!({
            "summary": cut(&format!("{}; {}", said.title, said.line), 1_024),
            "source": "forthright",
            "severity": if event.kind == EventKind::Test { "info" } else { "error" },
            "timestamp": event.timestamp,
            "group": event.data.incident,
            "class": event.data.escalation.as_ref().map(|ladder| ladder.policy.as_str()),
            "custom_details": event.data,
        });
        if let Some(link) = &said.link {
            body["links"] = json!([{ "href": link, "text": "Open" }]);
        }
    }
    Some(body)
}

/// https://docs.opsgenie.com/docs/alert-api; the path of the address says what is done.
fn opsgenie(said: &Said, event: &Event, alert: &str) -> Option<Value> {
    Some(match event.kind {
        EventKind::Fired | EventKind::Test => json!({
            "message": cut(&said.title, 130),
            "alias": alert,
            "description": said.line,
            "source": "forthright",
            "entity": event.data.ticket,
            "priority": if event.kind == EventKind::Test { "P5" } else { "P2" },
        }),
        EventKind::Acknowledged | EventKind::Ended => {
            json!({ "source": "forthright", "note": cut(&said.title, 1_000) })
        }
        EventKind::Question => return None,
    })
}

/// https://prometheus.io/docs/alerting/latest/alerts_api/; an alert ends by its `endsAt`.
fn alertmanager(said: &Said, event: &Event, alert: &str) -> Option<Value> {
    let policy = event.data.escalation.as_ref().map_or("test", |ladder| ladder.policy.as_str());
    let mut body = json!({
        "labels": {
            "alertname": "ForthrightEscalation", "escalation": alert, "policy": policy, "incident": event.data.incident,
            "ticket": event.data.ticket, "tenant": event.data.tenant,
        },
        "annotations": { "summary": said.title, "description": said.line },
    });
    match event.kind {
        // Its own time-out would end it: a ladder runs for days. The longest there is says that its end is told.
        EventKind::Fired => {
            body["startsAt"] = json!(event.timestamp);
            body["endsAt"] = json!("9999-01-01T00:00:00Z");
        }
        EventKind::Test => body["startsAt"] = json!(event.timestamp),
        EventKind::Ended => body["endsAt"] = json!(event.timestamp),
        EventKind::Acknowledged | EventKind::Question => return None,
    }
    if let Some(link) = &said.link {
        body["generatorURL"] = json!(link);
    }
    Some(json!([body]))
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some(_) => text.chars().take(longest - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
