-- What people did to a ladder. Its times follow from the policy, the start and these rows.
CREATE TABLE escalation_events (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    escalation_id TEXT COLLATE "C" NOT NULL REFERENCES escalations (id),
    at            BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CONSTRAINT known_deed CHECK (kind IN ('acknowledge', 'jump', 'restart')),
    rung          BIGINT NOT NULL, -- from 1; 0 = about no rung
    repeat        BIGINT NOT NULL, -- from 0
    actor         TEXT COLLATE "C" NOT NULL,
    why           TEXT COLLATE "C" NOT NULL
);
-- The tick reads those of the ladders that it climbs.
CREATE INDEX escalation_events_by_ladder ON escalation_events (escalation_id, at);
CREATE TRIGGER escalation_events_are_frozen BEFORE UPDATE ON escalation_events FOR EACH ROW
EXECUTE FUNCTION is_refused('escalation_events_are_frozen: what was done to a ladder never changes');
CREATE TRIGGER escalation_events_are_kept BEFORE DELETE ON escalation_events FOR EACH ROW
EXECUTE FUNCTION is_refused('escalation_events_are_kept: what was done to a ladder is never deleted');
CREATE TRIGGER escalation_events_are_not_truncated BEFORE TRUNCATE ON escalation_events FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('escalation_events_are_kept: what was done to a ladder is never deleted');

-- Firings that count on a ladder because the one before it had them: JSON of [rung, repeat, target].
ALTER TABLE escalations ADD COLUMN carried TEXT COLLATE "C" NOT NULL DEFAULT '[]';
CREATE TRIGGER carried_is_frozen BEFORE UPDATE OF carried ON escalations FOR EACH ROW
WHEN (NEW.carried IS DISTINCT FROM OLD.carried)
EXECUTE FUNCTION is_refused('carried_is_frozen: a ladder keeps what it was started with');

-- The policies of an incident from a time on; without a row, it has what it was opened with.
CREATE TABLE policy_versions (
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    version     BIGINT NOT NULL, -- from 1
    policies    TEXT COLLATE "C" NOT NULL, -- JSON of all of them
    running     TEXT COLLATE "C" NOT NULL CONSTRAINT known_running CHECK (running IN ('opened', 'keep', 'restart', 'move')),
    why         TEXT COLLATE "C" NOT NULL,
    set_by      TEXT COLLATE "C" NOT NULL,
    set_at      BIGINT NOT NULL,
    PRIMARY KEY (incident_id, version),
    CONSTRAINT changed_with_reason CHECK (running = 'opened' OR TRIM(why) <> '')
);
CREATE TRIGGER policy_versions_are_frozen BEFORE UPDATE ON policy_versions FOR EACH ROW
EXECUTE FUNCTION is_refused('policy_versions_are_frozen: a version of a policy never changes');
CREATE TRIGGER policy_versions_are_kept BEFORE DELETE ON policy_versions FOR EACH ROW
EXECUTE FUNCTION is_refused('policy_versions_are_kept: a version of a policy is never deleted');
CREATE TRIGGER policy_versions_are_not_truncated BEFORE TRUNCATE ON policy_versions FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('policy_versions_are_kept: a version of a policy is never deleted');

-- Tests of targets before anything happens.
CREATE TABLE target_tests (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id     BIGINT NOT NULL REFERENCES incidents (id),
    target          TEXT COLLATE "C" NOT NULL,
    result          TEXT COLLATE "C" NOT NULL,
    mail_id         TEXT COLLATE "C", -- the first mail of it, in the outbox
    sent_by         TEXT COLLATE "C" NOT NULL,
    sent_at         BIGINT NOT NULL,
    acknowledged_by TEXT COLLATE "C",
    acknowledged_at BIGINT,
    CONSTRAINT acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
-- The pre-flight asks which targets of an incident were tested.
CREATE INDEX target_tests_by_incident ON target_tests (incident_id, sent_at);

-- In SQLite alone:
-- CREATE TRIGGER escalation_events_are_added_once
-- CREATE TRIGGER policy_versions_are_added_once
