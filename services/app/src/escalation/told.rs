//! What other programs are told of ladders, in the transaction of what they are told of.
//!
//! Fires nothing. Invariant: it holds ids, names of policies and targets, times, and who acknowledged.

use model::escalation::Due;
use model::time::Timestamp;
use model::webhooks::{EventKind, Ladder, Rung};
use store::Tx;
use store::escalation::Escalation;

use crate::webhooks::{Happening, To, queue};
use crate::{App, AppError, Incident};

/// A rung that fired for one target.
pub(super) struct Fired<'a> {
    pub(super) to: To<'a>,
    pub(super) due: &'a Due,
    /// `fir_…`.
    pub(super) firing: &'a str,
    pub(super) at: Timestamp,
    /// When the ladder fires next.
    pub(super) next: Option<Timestamp>,
}

/// Tells of a firing.
pub(super) async fn fired(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    ladder: &Escalation,
    fired: Fired<'_>,
) -> Result<(), AppError> {
    let due = fired.due;
    let rung = Rung {
        number: due.rung,
        repeat: due.repeat,
        target: due.target.as_str().to_owned(),
        due_at: due.due_at,
        next_at: fired.next,
    };
    let about = Ladder { rung: Some(rung), ..of(ladder) };
    tell(app, tx, incident, ladder, fired.to, EventKind::Fired, (fired.firing, fired.at, about)).await
}

/// Tells of an acknowledgement; `line` is its id in the ticket's timeline.
pub(super) async fn acknowledged(app: &App, tx: &mut Tx, ladder: &Escalation, line: &str) -> Result<(), AppError> {
    let incident = app.incident_by_id(tx, ladder.incident_id).await?;
    let about = Ladder { acknowledged_by: Some(app.actor.clone()), ..of(ladder) };
    let said = (line, app.clock.now(), about);
    tell(app, tx, &incident, ladder, To::Subscribers, EventKind::Acknowledged, said).await
}

fn of(ladder: &Escalation) -> Ladder {
    Ladder { id: ladder.id.clone(), policy: ladder.policy.clone(), rung: None, acknowledged_by: None }
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    ladder: &Escalation,
    to: To<'_>,
    kind: EventKind,
    (cause, at, about): (&str, Timestamp, Ladder),
) -> Result<(), AppError> {
    if app.settings.webhooks.is_empty() {
        return Ok(());
    }
    let Some(ticket) = store::tickets::by_id(tx, &ladder.ticket_id).await? else { return Ok(()) };
    let happening = Happening {
        to,
        kind,
        at,
        cause,
        incident: (incident.id, &incident.slug),
        ticket: &ticket.id,
        tenant: &ticket.tenant_id,
        ladder: Some(about),
        questions: Vec::new(),
    };
    queue(app, tx, &happening).await.map(drop)
}
