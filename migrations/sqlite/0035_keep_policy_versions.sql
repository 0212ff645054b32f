-- What people did to a ladder. Its times follow from the policy, the start and these rows.
CREATE TABLE escalation_events (
    id            TEXT    NOT NULL PRIMARY KEY,
    escalation_id TEXT    NOT NULL REFERENCES escalations (id),
    at            INTEGER NOT NULL,
    kind          TEXT    NOT NULL CONSTRAINT known_deed CHECK (kind IN ('acknowledge', 'jump', 'restart')),
    rung          INTEGER NOT NULL, -- from 1; 0 = about no rung
    repeat        INTEGER NOT NULL, -- from 0
    actor         TEXT    NOT NULL,
    why           TEXT    NOT NULL
) STRICT;
-- The tick reads those of the ladders that it climbs.
CREATE INDEX escalation_events_by_ladder ON escalation_events (escalation_id, at);
CREATE TRIGGER escalation_events_are_frozen BEFORE UPDATE ON escalation_events
BEGIN SELECT RAISE(ABORT, 'escalation_events_are_frozen: what was done to a ladder never changes'); END;
CREATE TRIGGER escalation_events_are_added_once BEFORE INSERT ON escalation_events
WHEN EXISTS (SELECT 1 FROM escalation_events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM escalation_events WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'escalation_events_are_added_once: there is a deed of this id'); END;
CREATE TRIGGER escalation_events_are_kept BEFORE DELETE ON escalation_events
BEGIN SELECT RAISE(ABORT, 'escalation_events_are_kept: what was done to a ladder is never deleted'); END;

-- Firings that count on a ladder because the one before it had them: JSON of [rung, repeat, target].
ALTER TABLE escalations ADD COLUMN carried TEXT NOT NULL DEFAULT '[]';
CREATE TRIGGER carried_is_frozen BEFORE UPDATE OF carried ON escalations WHEN NEW.carried IS NOT OLD.carried
BEGIN SELECT RAISE(ABORT, 'carried_is_frozen: a ladder keeps what it was started with'); END;

-- The policies of an incident from a time on; without a row, it has what it was opened with.
CREATE TABLE policy_versions (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version     INTEGER NOT NULL, -- from 1
    policies    TEXT    NOT NULL, -- JSON of all of them
    running     TEXT    NOT NULL CONSTRAINT known_running CHECK (running IN ('opened', 'keep', 'restart', 'move')),
    why         TEXT    NOT NULL,
    set_by      TEXT    NOT NULL,
    set_at      INTEGER NOT NULL,
    PRIMARY KEY (incident_id, version),
    CONSTRAINT changed_with_reason CHECK (running = 'opened' OR TRIM(why) <> '')
) STRICT;
CREATE TRIGGER policy_versions_are_frozen BEFORE UPDATE ON policy_versions
BEGIN SELECT RAISE(ABORT, 'policy_versions_are_frozen: a version of a policy never changes'); END;
CREATE TRIGGER policy_versions_are_added_once BEFORE INSERT ON policy_versions
WHEN EXISTS (SELECT 1 FROM policy_versions WHERE incident_id = NEW.incident_id AND version = NEW.version)
    OR EXISTS (SELECT 1 FROM policy_versions WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'policy_versions_are_added_once: there is a version of this number'); END;
CREATE TRIGGER policy_versions_are_kept BEFORE DELETE ON policy_versions
BEGIN SELECT RAISE(ABORT, 'policy_versions_are_kept: a version of a policy is never deleted'); END;

-- Tests of targets before anything happens.
CREATE TABLE target_tests (
    id              TEXT    NOT NULL PRIMARY KEY,
    incident_id     INTEGER NOT NULL REFERENCES incidents (id),
    target          TEXT    NOT NULL,
    result          TEXT    NOT NULL,
    mail_id         TEXT,             -- the first mail of it, in the outbox
    sent_by         TEXT    NOT NULL,
    sent_at         INTEGER NOT NULL,
    acknowledged_by TEXT,
    acknowledged_at INTEGER,
    CONSTRAINT acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
) STRICT;
-- The pre-flight asks which targets of an incident were tested.
CREATE INDEX target_tests_by_incident ON target_tests (incident_id, sent_at);

-- In PostgreSQL alone:
-- CREATE TRIGGER escalation_events_are_not_truncated
-- CREATE TRIGGER policy_versions_are_not_truncated
