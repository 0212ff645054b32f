-- An event is recorded once, and corrected by a further record of its name: the last one counts, and none is lost.
ALTER TABLE incident_events ADD COLUMN nth BIGINT NOT NULL DEFAULT 1;
UPDATE incident_events
SET nth = (
    SELECT COUNT(*) FROM incident_events o
    WHERE o.incident_id = incident_events.incident_id AND o.name = incident_events.name AND o.recorded_at <= incident_events.recorded_at);
-- Of two that record, or correct, the same at once, one is refused.
CREATE UNIQUE INDEX incident_events_by_name ON incident_events (incident_id, name, nth);
CREATE TRIGGER events_are_frozen BEFORE UPDATE ON incident_events FOR EACH ROW
EXECUTE FUNCTION is_refused('events_are_frozen: an event is corrected by a further record');
CREATE TRIGGER events_are_kept BEFORE DELETE ON incident_events FOR EACH ROW
EXECUTE FUNCTION is_refused('events_are_kept: an event is corrected, never deleted');
CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON incident_events FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('events_are_kept: an event is corrected, never deleted');

-- What people say of the duties of an incident: whether one applies, that it was fulfilled, that nobody is notified, that
-- it rests. Only added to; what is said later counts against what was said before.
CREATE TABLE duty_acts (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    duty        TEXT COLLATE "C" NOT NULL, -- an id of the table of obligations, or of a contract
    act         TEXT COLLATE "C" NOT NULL CONSTRAINT known_act CHECK (act IN ('applies', 'applies_not', 'done', 'not_notify', 'pause', 'resume')),
    at          BIGINT,          -- done: when; pause: until when
    reference   TEXT COLLATE "C",             -- done: the file number of who was told
    why         TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    approved_by TEXT COLLATE "C",
    approved_at BIGINT,
    nth         BIGINT NOT NULL, -- in the order of words in the incident, whatever clocks say
    counts_nth  BIGINT,          -- from which place in that order it counts; none: it waits for a second person
    CONSTRAINT waits_for_the_second CHECK (counts_nth IS NOT NULL OR (approved_by IS NULL AND act IN ('not_notify', 'pause'))),
    CONSTRAINT approved_by_another CHECK (approved_by IS NULL OR approved_by <> actor),
    CONSTRAINT approved_iff_time CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT approved_acts_are_grave CHECK (approved_by IS NULL OR act IN ('not_notify', 'pause')),
    CONSTRAINT time_iff_act CHECK ((at IS NOT NULL) = (act IN ('done', 'pause')))
);
-- The clocks of an incident are derived from all of them, in their order.
CREATE UNIQUE INDEX duty_acts_by_incident ON duty_acts (incident_id, nth);
CREATE TRIGGER duty_acts_are_frozen BEFORE UPDATE ON duty_acts FOR EACH ROW
WHEN (OLD.counts_nth IS NOT NULL
    OR (NEW.id, NEW.incident_id, NEW.duty, NEW.act, NEW.at, NEW.reference, NEW.why, NEW.actor, NEW.recorded_at, NEW.nth)
    IS DISTINCT FROM (OLD.id, OLD.incident_id, OLD.duty, OLD.act, OLD.at, OLD.reference, OLD.why, OLD.actor, OLD.recorded_at, OLD.nth))
EXECUTE FUNCTION is_refused('duty_acts_are_frozen: what was said of a duty never changes');
CREATE TRIGGER duty_acts_are_kept BEFORE DELETE ON duty_acts FOR EACH ROW
EXECUTE FUNCTION is_refused('duty_acts_are_kept: what was said of a duty is never deleted');
CREATE TRIGGER duty_acts_are_not_truncated BEFORE TRUNCATE ON duty_acts FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('duty_acts_are_kept: what was said of a duty is never deleted');

-- Hours that were promised to a customer by contract.
CREATE TABLE contracts (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    hours         BIGINT NOT NULL CONSTRAINT hours_are_some CHECK (hours BETWEEN 1 AND 8760),
    trigger_event TEXT COLLATE "C" NOT NULL, -- a name of model::law::ClockEvent
    source        TEXT COLLATE "C" NOT NULL, -- contract and clause
    why           TEXT COLLATE "C" NOT NULL,
    added_by      TEXT COLLATE "C" NOT NULL,
    added_at      BIGINT NOT NULL,
    ended_by      TEXT COLLATE "C",
    ended_at      BIGINT,
    ended_why     TEXT COLLATE "C",
    CONSTRAINT ended_iff_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
);
-- An incident asks for those of its affected organisations.
CREATE INDEX contracts_by_tenant ON contracts (tenant_id);

-- By when the next update on an incident was promised to everybody. Kept by a supplement or correction that was released
-- after it, or by a statement that somebody records here.
CREATE TABLE next_updates (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    by_at       BIGINT NOT NULL,
    why         TEXT COLLATE "C" NOT NULL,
    promised_by TEXT COLLATE "C" NOT NULL,
    promised_at BIGINT NOT NULL,
    kept_at     BIGINT,
    kept_by     TEXT COLLATE "C",
    kept_why    TEXT COLLATE "C",
    CONSTRAINT kept_iff_reason CHECK ((kept_at IS NULL) = (kept_why IS NULL) AND (kept_at IS NULL) = (kept_by IS NULL))
);
-- Asked for by incident.
CREATE INDEX next_updates_by_incident ON next_updates (incident_id, by_at);

-- When the clocks of an incident are looked at next for rungs that are due.
CREATE TABLE duty_looks (
    incident_id BIGINT NOT NULL PRIMARY KEY REFERENCES incidents (id),
    look_at     BIGINT NOT NULL
);
-- The tick asks which are due.
CREATE INDEX duty_looks_due ON duty_looks (look_at);
INSERT INTO duty_looks (incident_id, look_at) SELECT id, 0 FROM incidents;

-- Holidays of the installation's own, as the iCalendar file said. The newest of a name counts.
CREATE TABLE calendar_files (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL, -- the file
    imported_by TEXT COLLATE "C" NOT NULL,
    imported_at BIGINT NOT NULL
);
-- The newest of a name is looked for.
CREATE INDEX calendar_files_by_name ON calendar_files (name, imported_at);

-- SQLite alone has REPLACE, which is refused there:
-- CREATE TRIGGER events_are_added_once
-- CREATE TRIGGER duty_acts_are_added_once
