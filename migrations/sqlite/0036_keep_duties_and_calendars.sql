-- An event is recorded once, and corrected by a further record of its name: the last one counts, and none is lost.
ALTER TABLE incident_events ADD COLUMN nth INTEGER NOT NULL DEFAULT 1;
UPDATE incident_events
SET nth = (
    SELECT COUNT(*) FROM incident_events o
    WHERE o.incident_id = incident_events.incident_id AND o.name = incident_events.name AND o.recorded_at <= incident_events.recorded_at);
-- Of two that record, or correct, the same at once, one is refused.
CREATE UNIQUE INDEX incident_events_by_name ON incident_events (incident_id, name, nth);
CREATE TRIGGER events_are_frozen BEFORE UPDATE ON incident_events
BEGIN SELECT RAISE(ABORT, 'events_are_frozen: an event is corrected by a further record'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON incident_events
BEGIN SELECT RAISE(ABORT, 'events_are_kept: an event is corrected, never deleted'); END;
CREATE TRIGGER events_are_added_once BEFORE INSERT ON incident_events
BEGIN
    SELECT RAISE(ABORT, 'events_are_added_once: there is a record of this time') FROM incident_events
    WHERE incident_id = NEW.incident_id AND name = NEW.name AND (nth = NEW.nth OR recorded_at = NEW.recorded_at);
    SELECT RAISE(ABORT, 'events_are_added_once: there is a record in this row') FROM incident_events WHERE rowid = NEW.rowid;
END;

-- What people say of the duties of an incident: whether one applies, that it was fulfilled, that nobody is notified, that
-- it rests. Only added to; what is said later counts against what was said before.
CREATE TABLE duty_acts (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    duty        TEXT    NOT NULL, -- an id of the table of obligations, or of a contract
    act         TEXT    NOT NULL CONSTRAINT known_act CHECK (act IN ('applies', 'applies_not', 'done', 'not_notify', 'pause', 'resume')),
    at          INTEGER,          -- done: when; pause: until when
    reference   TEXT,             -- done: the file number of who was told
    why         TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    nth         INTEGER NOT NULL, -- in the order of words in the incident, whatever clocks say
    counts_nth  INTEGER,          -- from which place in that order it counts; none: it waits for a second person
    CONSTRAINT waits_for_the_second CHECK (counts_nth IS NOT NULL OR (approved_by IS NULL AND act IN ('not_notify', 'pause'))),
    CONSTRAINT approved_by_another CHECK (approved_by IS NULL OR approved_by <> actor),
    CONSTRAINT approved_iff_time CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT approved_acts_are_grave CHECK (approved_by IS NULL OR act IN ('not_notify', 'pause')),
    CONSTRAINT time_iff_act CHECK ((at IS NOT NULL) = (act IN ('done', 'pause')))
) STRICT;
-- The clocks of an incident are derived from all of them, in their order.
CREATE UNIQUE INDEX duty_acts_by_incident ON duty_acts (incident_id, nth);
CREATE TRIGGER duty_acts_are_frozen BEFORE UPDATE ON duty_acts
WHEN OLD.counts_nth IS NOT NULL OR NEW.rowid <> OLD.rowid OR NEW.id IS NOT OLD.id OR NEW.incident_id IS NOT OLD.incident_id
    OR NEW.duty IS NOT OLD.duty OR NEW.act IS NOT OLD.act OR NEW.at IS NOT OLD.at OR NEW.reference IS NOT OLD.reference
    OR NEW.why IS NOT OLD.why OR NEW.actor IS NOT OLD.actor OR NEW.recorded_at IS NOT OLD.recorded_at OR NEW.nth IS NOT OLD.nth
BEGIN SELECT RAISE(ABORT, 'duty_acts_are_frozen: what was said of a duty never changes'); END;
CREATE TRIGGER duty_acts_are_kept BEFORE DELETE ON duty_acts
BEGIN SELECT RAISE(ABORT, 'duty_acts_are_kept: what was said of a duty is never deleted'); END;
CREATE TRIGGER duty_acts_are_added_once BEFORE INSERT ON duty_acts
WHEN EXISTS (SELECT 1 FROM duty_acts WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM duty_acts WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'duty_acts_are_added_once: there is an act of this id'); END;

-- Hours that were promised to a customer by contract.
CREATE TABLE contracts (
    id            TEXT    NOT NULL PRIMARY KEY,
    tenant_id     TEXT    NOT NULL REFERENCES tenants (id),
    hours         INTEGER NOT NULL CONSTRAINT hours_are_some CHECK (hours BETWEEN 1 AND 8760),
    trigger_event TEXT    NOT NULL, -- a name of model::law::ClockEvent
    source        TEXT    NOT NULL, -- contract and clause
    why           TEXT    NOT NULL,
    added_by      TEXT    NOT NULL,
    added_at      INTEGER NOT NULL,
    ended_by      TEXT,
    ended_at      INTEGER,
    ended_why     TEXT,
    CONSTRAINT ended_iff_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
) STRICT;
-- An incident asks for those of its affected organisations.
CREATE INDEX contracts_by_tenant ON contracts (tenant_id);

-- By when the next update on an incident was promised to everybody. Kept by a supplement or correction that was released
-- after it, or by a statement that somebody records here.
CREATE TABLE next_updates (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    by_at       INTEGER NOT NULL,
    why         TEXT    NOT NULL,
    promised_by TEXT    NOT NULL,
    promised_at INTEGER NOT NULL,
    kept_at     INTEGER,
    kept_by     TEXT,
    kept_why    TEXT,
    CONSTRAINT kept_iff_reason CHECK ((kept_at IS NULL) = (kept_why IS NULL) AND (kept_at IS NULL) = (kept_by IS NULL))
) STRICT;
-- Asked for by incident.
CREATE INDEX next_updates_by_incident ON next_updates (incident_id, by_at);

-- When the clocks of an incident are looked at next for rungs that are due.
CREATE TABLE duty_looks (
    incident_id INTEGER NOT NULL PRIMARY KEY REFERENCES incidents (id),
    look_at     INTEGER NOT NULL
) STRICT;
-- The tick asks which are due.
CREATE INDEX duty_looks_due ON duty_looks (look_at);
INSERT INTO duty_looks (incident_id, look_at) SELECT id, 0 FROM incidents;

-- Holidays of the installation's own, as the iCalendar file said. The newest of a name counts.
CREATE TABLE calendar_files (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    body        TEXT    NOT NULL, -- the file
    imported_by TEXT    NOT NULL,
    imported_at INTEGER NOT NULL
) STRICT;
-- The newest of a name is looked for.
CREATE INDEX calendar_files_by_name ON calendar_files (name, imported_at);

-- PostgreSQL alone has TRUNCATE, which is refused there:
-- CREATE TRIGGER events_are_not_truncated
-- CREATE TRIGGER duty_acts_are_not_truncated
