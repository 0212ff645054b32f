-- What belongs to the store as a whole. One row.
CREATE TABLE installation (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    rehearsal         INTEGER NOT NULL CHECK (rehearsal IN (0, 1)), -- 1: --now may move the clock, mails say REHEARSAL
    master_key_check  TEXT    NOT NULL,                             -- a known text under the master key
    directory_version INTEGER NOT NULL,                             -- counts up with each change of directory or assignment
    stopped_at        INTEGER,                                      -- set: no new mail leaves anywhere
    created_at        INTEGER NOT NULL
) STRICT;

-- Who did what to what; each entry carries the hash of the one before.
CREATE TABLE audit (
    seq       INTEGER NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    verb      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    prev_hash TEXT    NOT NULL,
    hash      TEXT    NOT NULL
) STRICT;

-- The end of the chain; updating it is what puts appenders in a row.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash TEXT    NOT NULL
) STRICT;

-- One exposure, with the part of it that notices state.
CREATE TABLE incidents (
    id            INTEGER NOT NULL PRIMARY KEY,
    slug          TEXT    NOT NULL UNIQUE,
    title         TEXT    NOT NULL,
    vendor        TEXT    NOT NULL,
    discovered_at INTEGER NOT NULL,
    facts         TEXT    NOT NULL, -- JSON of IncidentFacts
    wrapped_key   TEXT    NOT NULL, -- hashes exposed persons, makes tokens; destroyed by erasing
    policies      TEXT    NOT NULL, -- JSON of the escalation policies new ladders start with
    opened_by     TEXT    NOT NULL,
    opened_at     INTEGER NOT NULL
) STRICT;

-- Clock events of an incident: aware, determined, contained, ...
CREATE TABLE incident_events (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    name        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    why         TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (incident_id, name, recorded_at)
) STRICT;

-- Domains that belong to nobody in this incident, beside the built-in list.
CREATE TABLE shared_domains (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    domain      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    PRIMARY KEY (incident_id, domain)
) STRICT;
