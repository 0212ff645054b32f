//! The words of each receiver, and what nobody can do by a name.

use model::webhooks::{EventData, Ladder, Rung};
use serde_json::{Value, json};

use super::*;

const ALL_PRESETS: &[Preset] = Preset::ALL;

fn event(kind: EventKind) -> Event {
    named(kind, "t-00001")
}

fn named(kind: EventKind, tenant: &str) -> Event {
    let time = |text: &str| text.parse().unwrap();
    let rung = Rung {
        number: 2,
        repeat: 0,
        target: "lead".to_owned(),
        due_at: time("2026-11-26T09:00:00Z"),
        next_at: Some(time("2026-11-30T09:00:00Z")),
    };
    let ladder = Ladder {
        id: "esc_1".to_owned(),
        policy: "debt".to_owned(),
        rung: (kind == EventKind::Fired).then_some(rung),
        acknowledged_by: (kind == EventKind::Acknowledged).then(|| "ada".to_owned()),
    };
    let is_of_a_ladder = !matches!(kind, EventKind::Question | EventKind::Test);
    Event {
        kind,
        timestamp: time("2026-11-26T09:00:05Z"),
        data: EventData {
            incident: "bluebleed".to_owned(),
            ticket: "tkt_1".to_owned(),
            tenant: tenant.to_owned(),
            escalation: is_of_a_ladder.then_some(ladder),
            questions: if kind == EventKind::Question { vec!["qst_1".to_owned()] } else { Vec::new() },
            link: Some("https://console.example/tickets/tkt_1".to_owned()),
            rehearsal: false,
        },
    }
}

fn said(preset: Preset, kind: EventKind) -> Value {
    serde_json::from_str(&body(preset, &event(kind), "esc_1").unwrap()).unwrap()
}

#[test]
fn a_receiver_of_our_own_is_told_the_event_as_it_is() {
    assert_eq!(
        said(Preset::Standard, EventKind::Fired),
        json!({
            "type": "escalation.fired",
            "timestamp": "2026-11-26T09:00:05Z",
            "data": {
                "incident": "bluebleed", "ticket": "tkt_1", "tenant": "t-00001",
                "escalation": {
                    "id": "esc_1", "policy": "debt",
                    "rung": {
                        "number": 2, "repeat": 0, "target": "lead",
                        "due_at": "2026-11-26T09:00:00Z", "next_at": "2026-11-30T09:00:00Z",
                    },
                },
                "link": "https://console.example/tickets/tkt_1",
                "rehearsal": false,
            },
        })
    );
}

#[test]
fn chat_tools_are_told_in_two_lines_with_a_link() {
    const LINES: &str = "Forthright: debt, rung 2: lead\nticket tkt_1 of tenant t-00001, incident bluebleed, due 2026-11-26T09:00:00Z; next rung 2026-11-30T09:00:00Z";
    let text = format!("{LINES} <https://console.example/tickets/tkt_1|open>");
    assert_eq!(
        said(Preset::Slack, EventKind::Fired),
        json!({ "text": text, "link_names": 0, "parse": "none", "unfurl_links": false })
    );
    assert_eq!(said(Preset::GoogleChat, EventKind::Fired), json!({ "text": text }));
    let marked = LINES.replace('_', "\\_");
    assert_eq!(
        said(Preset::Mattermost, EventKind::Fired),
        json!({ "text": format!("{marked} [open](https://console.example/tickets/tkt_1)") })
    );
    assert_eq!(
        said(Preset::Discord, EventKind::Fired),
        json!({
            "content": format!("{marked} <https://console.example/tickets/tkt_1>"),
            "allowed_mentions": { "parse": [] },
        })
    );
    let lines: Vec<&str> = marked.split('\n').collect();
    assert_eq!(
        said(Preset::Teams, EventKind::Fired),
        json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        { "type": "TextBlock", "text": lines[0], "wrap": true, "weight": "Bolder" },
                        { "type": "TextBlock", "text": lines[1], "wrap": true, "weight": "Default" },
                    ],
                    "actions": [{ "type": "Action.OpenUrl", "title": "Open", "url": "https://console.example/tickets/tkt_1" }],
                },
            }],
        })
    );
}

#[test]
fn an_alert_of_pagerduty_is_triggered_acknowledged_and_resolved_under_one_key() {
    let triggered = said(Preset::Pagerduty, EventKind::Fired);
    assert_eq!((&triggered["event_action"], &triggered["dedup_key"]), (&json!("trigger"), &json!("esc_1")));
    let payload = &triggered["payload"];
    assert_eq!((&payload["source"], &payload["severity"]), (&json!("forthright"), &json!("error")));
    assert!(payload["summary"].as_str().unwrap().starts_with("Forthright: debt, rung 2: lead; ticket tkt_1"));
    assert_eq!(
        said(Preset::Pagerduty, EventKind::Acknowledged),
        json!({ "event_action": "acknowledge", "dedup_key": "esc_1" })
    );
    assert_eq!(said(Preset::Pagerduty, EventKind::Ended), json!({ "event_action": "resolve", "dedup_key": "esc_1" }));
    assert_eq!(body(Preset::Pagerduty, &event(EventKind::Question), "qst_1"), None);
}

fn sent(preset: Preset, url: &str, kind: EventKind, secrets: &[Secret]) -> Result<Call, String> {
    let body = body(preset, &event(kind), "esc_1").unwrap();
    let receiver = Receiver { url, preset, key: "K", secrets };
    let at = Timestamp::from_micros(1_614_265_330_000_000);
    call(&receiver, &Outgoing { id: "msg_1", kind, alert: "esc_1", body: &body, at })
}

fn json_of(call: &Call) -> Value {
    serde_json::from_slice(call.body.as_ref().unwrap()).unwrap()
}

#[test]
fn what_is_secret_is_added_at_the_last_moment() {
    let pagerduty = sent(Preset::Pagerduty, "https://events.example/v2/enqueue", EventKind::Ended, &[]).unwrap();
    assert_eq!(json_of(&pagerduty), json!({ "event_action": "resolve", "dedup_key": "esc_1", "routing_key": "K" }));
    let ntfy = sent(Preset::Ntfy, "https://ntfy.example/word", EventKind::Fired, &[]).unwrap();
    assert_eq!((ntfy.url.as_str(), &json_of(&ntfy)["topic"]), ("https://ntfy.example/", &json!("word")));
    assert!(sent(Preset::Ntfy, "https://ntfy.example", EventKind::Fired, &[]).is_err());
    for preset in ALL_PRESETS {
        let stored = body(*preset, &event(EventKind::Fired), "esc_1").unwrap();
        assert!(!stored.contains("\"K\"") && !stored.contains("word"), "{preset}: {stored}");
    }
}

#[test]
fn opsgenie_and_alertmanager_close_what_they_opened() {
    let url = "https://api.example/v2/alerts";
    let opened = sent(Preset::Opsgenie, url, EventKind::Fired, &[]).unwrap();
    assert_eq!((opened.url.as_str(), &json_of(&opened)["alias"]), (url, &json!("esc_1")));
    assert!(opened.headers.contains(&("authorization", "GenieKey K".to_owned())));
    let closed = sent(Preset::Opsgenie, url, EventKind::Ended, &[]).unwrap();
    assert_eq!(closed.url, "https://api.example/v2/alerts/esc_1/close?identifierType=alias");
    let (fired, ended) = (said(Preset::Alertmanager, EventKind::Fired), said(Preset::Alertmanager, EventKind::Ended));
    assert_eq!(fired[0]["labels"], ended[0]["labels"]);
    assert_eq!(ended[0]["endsAt"], "2026-11-26T09:00:05Z");
}

#[test]
fn a_name_mentions_nobody_formats_nothing_and_leads_nowhere() {
    let name = "<!channel> <!here> <@U1> <users/all> @channel @everyone @here <https://evil.example|ours> [ours](https://evil.example) https://evil.example *b* `c` ~d~ www.evil.example\n## e";
    for preset in [Preset::Slack, Preset::Mattermost, Preset::GoogleChat, Preset::Discord, Preset::Teams] {
        let body = body(preset, &named(EventKind::Fired, name), "esc_1").unwrap();
        let bare = body.replace("\\\\<", "");
        for trick in
            ["<!", "<@", "<users", "@channel", "@everyone", "@here", "https://evil", "|ours>", "www.evil", "\\n#"]
        {
            assert!(!bare.contains(trick), "{preset} holds {trick}: {body}");
        }
        if matches!(preset, Preset::Mattermost | Preset::Discord | Preset::Teams) {
            assert!(body.contains("\\\\[ours\\\\]\\\\("), "{preset}: {body}");
        }
    }
}

#[test]
fn a_rehearsal_says_so_first() {
    let mut event = event(EventKind::Fired);
    event.data.rehearsal = true;
    for preset in ALL_PRESETS.iter().filter(|preset| **preset != Preset::Standard) {
        let body = body(*preset, &event, "esc_1").unwrap();
        assert!(body.contains("REHEARSAL: Forthright"), "{preset}: {body}");
    }
}

#[test]
fn a_call_is_signed_by_each_secret_as_the_standard_has_it() {
    // The example of the specification's own libraries.
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let other = Secret::parse("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    let call = sent(Preset::Standard, "https://hooks.example/", EventKind::Fired, &[secret, other]).unwrap();
    let signatures = &call.headers.iter().find(|(name, _)| *name == "webhook-signature").unwrap().1;
    assert_eq!(signatures.split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
    let time = ("webhook-timestamp", "1614265330".to_owned());
    assert!(call.headers.contains(&time) && call.headers.contains(&("webhook-id", "msg_1".to_owned())));
}

#[test]
fn a_secret_is_of_the_standards_form_and_never_shown() {
    for text in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
        assert!(Secret::parse(text).is_none(), "{text}");
    }
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    assert!(!format!("{secret:?}").contains("MfKQ"));
}
