-- Calls of webhooks: one row a receiver and event, before the first byte. The id is the webhook-id of every try.
CREATE TABLE webhook_calls (
    id           TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    webhook      TEXT COLLATE "C"    NOT NULL,                         -- its name in the configuration
    event        TEXT COLLATE "C"    NOT NULL,
    alert        TEXT COLLATE "C"    NOT NULL,                         -- the ladder, or what else the event is about
    cause        TEXT COLLATE "C"    NOT NULL,                         -- what happened: the firing, the question
    incident_id  BIGINT REFERENCES incidents (id),        -- none = a test
    ticket_id    TEXT COLLATE "C"    REFERENCES tickets (id),
    preset       TEXT COLLATE "C"    NOT NULL,
    body         TEXT COLLATE "C"    NOT NULL,                         -- as it was when the event happened; without secrets
    state        TEXT COLLATE "C"    NOT NULL CONSTRAINT known_state CHECK (state IN ('queued', 'leased', 'accepted', 'deferred', 'failed')),
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,                         -- real time
    lease        TEXT COLLATE "C",                                     -- who makes the call; another one's record is void
    leased_until BIGINT,                                  -- real time
    created_at   BIGINT NOT NULL,
    settled_at   BIGINT,
    last_reply   TEXT COLLATE "C"    NOT NULL,
    CONSTRAINT told_once UNIQUE (webhook, event, cause),
    CONSTRAINT leased_iff_lease CHECK ((state = 'leased') = (lease IS NOT NULL) AND (lease IS NULL) = (leased_until IS NULL)),
    CONSTRAINT settled_has_time CHECK ((state IN ('accepted', 'failed')) = (settled_at IS NOT NULL)),
    CONSTRAINT ticket_has_incident CHECK (ticket_id IS NULL OR incident_id IS NOT NULL)
);
-- What is due, a webhook at a time.
CREATE INDEX webhook_calls_due ON webhook_calls (webhook, next_at, id) WHERE state IN ('queued', 'deferred');
-- What is told about one alert is told in its order.
CREATE INDEX webhook_calls_in_line ON webhook_calls (webhook, alert, id) WHERE state IN ('queued', 'leased', 'deferred');
-- Whose caller is gone.
CREATE INDEX webhook_calls_leased ON webhook_calls (leased_until) WHERE state = 'leased';
-- What was given up, for whoever looks.
CREATE INDEX webhook_calls_failed ON webhook_calls (webhook, settled_at) WHERE state = 'failed';
-- What was told about a ladder.
CREATE INDEX webhook_calls_by_ticket ON webhook_calls (ticket_id, id);
CREATE TRIGGER webhook_calls_are_frozen BEFORE UPDATE OF id, webhook, event, alert, cause, incident_id, ticket_id, preset, body, created_at ON webhook_calls
FOR EACH ROW WHEN ((NEW.id, NEW.webhook, NEW.event, NEW.alert, NEW.cause, NEW.incident_id, NEW.ticket_id, NEW.preset, NEW.body, NEW.created_at)
    IS DISTINCT FROM (OLD.id, OLD.webhook, OLD.event, OLD.alert, OLD.cause, OLD.incident_id, OLD.ticket_id, OLD.preset, OLD.body, OLD.created_at))
EXECUTE FUNCTION is_refused('webhook_calls_are_frozen: what a webhook is told never changes');

-- One try of a call: a ledger, only added to.
CREATE TABLE webhook_attempts (
    call_id    TEXT COLLATE "C"    NOT NULL REFERENCES webhook_calls (id),
    attempt    BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    status     BIGINT,                                    -- none = no answer
    reply      TEXT COLLATE "C"    NOT NULL,                           -- the first 1,000 bytes of it, or why there is none
    PRIMARY KEY (call_id, attempt)
);

-- Ladders that a webhook was told of, until it was told of their end.
CREATE TABLE webhook_alerts (
    webhook       TEXT COLLATE "C"    NOT NULL,
    escalation_id TEXT COLLATE "C"    NOT NULL REFERENCES escalations (id),
    alert         TEXT COLLATE "C"    NOT NULL, -- what the webhook knows it by: the ladder, or the first one whose place it took
    ended_at      BIGINT,
    PRIMARY KEY (webhook, escalation_id)
);
-- The tick asks which of these ladders have ended since.
CREATE INDEX webhook_alerts_open ON webhook_alerts (escalation_id) WHERE ended_at IS NULL;

-- Webhooks whose receiver said that nothing is there any more (410): nothing is sent until a test arrives.
CREATE TABLE webhooks_gone (
    webhook TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    since   BIGINT NOT NULL
);

-- When the engine of ladders last found nothing left to do; one row. By the real clock, whichever host it was.
CREATE TABLE engine_ticks (
    one      BIGINT NOT NULL PRIMARY KEY CONSTRAINT one_row CHECK (one = 1),
    ended_at BIGINT NOT NULL,
    host     TEXT COLLATE "C"    NOT NULL
);

-- The audit of the engine asks which running ladders have no next step.
CREATE INDEX escalations_climbed ON escalations (id) WHERE ended_at IS NULL AND next_due_at IS NULL;
-- And which tickets have debt, which promises are over.
CREATE INDEX tickets_with_debt ON tickets (id) WHERE debt > 0;
CREATE INDEX questions_promised ON questions (promised_by) WHERE state = 'promised';
-- The tick asks which letters of ladders to our own people did not reach them.
CREATE INDEX outbox_unreached ON outbox (id)
WHERE cause = 'policy' AND notice_id IS NULL AND contact_id IS NULL AND state IN ('bounced', 'failed', 'suppressed', 'cancelled');
