-- A ladder that runs: a policy as it was when it started, and what it is measured from.
CREATE TABLE escalations (
    id           TEXT    NOT NULL PRIMARY KEY,
    incident_id  INTEGER NOT NULL REFERENCES incidents (id),
    ticket_id    TEXT    NOT NULL REFERENCES tickets (id),
    policy       TEXT    NOT NULL,
    subject      TEXT    NOT NULL, -- what it is about: the ticket, or the question whose promise passed
    snapshot     TEXT    NOT NULL, -- JSON of the policy
    measured_from INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    ended_why    TEXT,
    next_due_at  INTEGER,          -- the earliest rung that has not fired; none = climbed to its end
    CONSTRAINT ended_iff_why CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) STRICT;
-- One ladder per ticket and policy at a time.
CREATE UNIQUE INDEX one_ladder_at_a_time ON escalations (ticket_id, policy, subject) WHERE ended_at IS NULL;
-- The tick asks what is due.
CREATE INDEX escalations_due ON escalations (next_due_at) WHERE ended_at IS NULL AND next_due_at IS NOT NULL;
CREATE INDEX escalations_by_incident ON escalations (incident_id, id);

-- A rung that fired, under a key that lets it fire once.
CREATE TABLE firings (
    id              TEXT    NOT NULL PRIMARY KEY,
    escalation_id   TEXT    NOT NULL REFERENCES escalations (id),
    rung            INTEGER NOT NULL, -- from 1
    repeat          INTEGER NOT NULL, -- from 0
    due_at          INTEGER NOT NULL,
    fired_at        INTEGER NOT NULL,
    target          TEXT    NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    CONSTRAINT fires_once UNIQUE (escalation_id, rung, repeat, target)
) STRICT;

-- Work for a person that no mail could be sent for, or that is theirs by nature.
CREATE TABLE tasks (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT    REFERENCES tenants (id),
    ticket_id   TEXT    REFERENCES tickets (id),
    kind        TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    unique_key  TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    done_at     INTEGER,
    done_by     TEXT
) STRICT;
CREATE INDEX tasks_open ON tasks (incident_id, due_at) WHERE done_at IS NULL;
