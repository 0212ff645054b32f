-- A ladder that runs: a policy as it was when it started, and what it is measured from.
CREATE TABLE escalations (
    id           TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id  BIGINT  NOT NULL REFERENCES incidents (id),
    ticket_id    TEXT COLLATE "C"    NOT NULL REFERENCES tickets (id),
    policy       TEXT COLLATE "C"    NOT NULL,
    subject      TEXT COLLATE "C"    NOT NULL, -- what it is about: the ticket, or the question whose promise passed
    snapshot     TEXT COLLATE "C"    NOT NULL, -- JSON of the policy
    measured_from BIGINT  NOT NULL,
    started_at   BIGINT  NOT NULL,
    ended_at     BIGINT ,
    ended_why    TEXT COLLATE "C",
    next_due_at  BIGINT ,          -- the earliest rung that has not fired; none = climbed to its end
    CONSTRAINT ended_iff_why CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
-- One ladder per ticket and policy at a time.
CREATE UNIQUE INDEX one_ladder_at_a_time ON escalations (ticket_id, policy, subject) WHERE ended_at IS NULL;
-- The tick asks what is due.
CREATE INDEX escalations_due ON escalations (next_due_at) WHERE ended_at IS NULL AND next_due_at IS NOT NULL;
CREATE INDEX escalations_by_incident ON escalations (incident_id, id);

-- A rung that fired, under a key that lets it fire once.
CREATE TABLE firings (
    id              TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    escalation_id   TEXT COLLATE "C"    NOT NULL REFERENCES escalations (id),
    rung            BIGINT  NOT NULL, -- from 1
    repeat          BIGINT  NOT NULL, -- from 0
    due_at          BIGINT  NOT NULL,
    fired_at        BIGINT  NOT NULL,
    target          TEXT COLLATE "C"    NOT NULL,
    acknowledged_at BIGINT ,
    acknowledged_by TEXT COLLATE "C",
    CONSTRAINT fires_once UNIQUE (escalation_id, rung, repeat, target)
);

-- Work for a person that no mail could be sent for, or that is theirs by nature.
CREATE TABLE tasks (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT  NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT COLLATE "C"    REFERENCES tenants (id),
    ticket_id   TEXT COLLATE "C"    REFERENCES tickets (id),
    kind        TEXT COLLATE "C"    NOT NULL,
    target      TEXT COLLATE "C"    NOT NULL,
    text        TEXT COLLATE "C"    NOT NULL,
    unique_key  TEXT COLLATE "C"    NOT NULL UNIQUE,
    created_at  BIGINT  NOT NULL,
    due_at      BIGINT  NOT NULL,
    done_at     BIGINT ,
    done_by     TEXT COLLATE "C"
);
CREATE INDEX tasks_open ON tasks (incident_id, due_at) WHERE done_at IS NULL;
