-- A released group of notices, armed by two people.
CREATE TABLE waves (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    name        TEXT    NOT NULL,
    released_by TEXT    NOT NULL,
    released_at INTEGER NOT NULL,
    notices     INTEGER NOT NULL,
    pace        INTEGER,          -- mails a second; none = as fast as the route takes them
    paused_at   INTEGER,
    UNIQUE (incident_id, name)
) STRICT;

-- Every mail that is to leave: one row a recipient, before the first byte. A row with a notice is a delivery.
CREATE TABLE outbox (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    cause       TEXT    NOT NULL CONSTRAINT known_cause CHECK (cause IN ('wave', 'agent', 'policy')),
    cause_id    TEXT    NOT NULL, -- the wave, the ticket entry, the firing
    wave_id     TEXT    REFERENCES waves (id),
    letter_id   TEXT    NOT NULL REFERENCES letters (id),
    notice_id   TEXT    REFERENCES notices (id),
    ticket_id   TEXT    REFERENCES tickets (id),
    tenant_id   TEXT    REFERENCES tenants (id),
    contact_id  TEXT    REFERENCES contacts (id),
    address     TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    message_id  TEXT    NOT NULL UNIQUE,
    reply_token TEXT    NOT NULL,
    thread_id   TEXT,             -- the Message-ID this mail answers or follows
    state       TEXT    NOT NULL CONSTRAINT known_state CHECK (state IN ('queued', 'leased', 'at_dot', 'accepted', 'deferred', 'uncertain', 'bounced', 'failed', 'suppressed', 'cancelled')),
    attempts    INTEGER NOT NULL,
    next_at     INTEGER NOT NULL, -- real time: the sender's clock is never moved
    lease       TEXT,             -- the sender that holds it
    created_at  INTEGER NOT NULL,
    settled_at  INTEGER,
    last_reply  TEXT    NOT NULL,
    CONSTRAINT one_row_per_recipient UNIQUE (notice_id, address),
    CONSTRAINT leased_iff_lease CHECK ((state IN ('leased', 'at_dot')) = (lease IS NOT NULL)),
    CONSTRAINT wave_iff_cause CHECK ((cause = 'wave') = (wave_id IS NOT NULL)),
    CONSTRAINT settled_has_time CHECK ((state IN ('accepted', 'bounced', 'failed', 'suppressed', 'cancelled')) = (settled_at IS NOT NULL))
) STRICT;
-- The claim takes what is due, oldest first.
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state IN ('queued', 'deferred', 'uncertain');
-- The sweep looks for leases of senders that are gone.
CREATE INDEX outbox_leased ON outbox (lease) WHERE lease IS NOT NULL;
-- Ladders ask which mails of a ticket were accepted, and when.
CREATE INDEX outbox_by_ticket ON outbox (ticket_id, state, settled_at);
CREATE INDEX outbox_by_incident ON outbox (incident_id, tenant_id, state);

-- One try: a ledger, only added to and finished.
CREATE TABLE attempts (
    outbox_id  TEXT    NOT NULL REFERENCES outbox (id),
    attempt    INTEGER NOT NULL,
    sender     TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    outcome    TEXT    NOT NULL,
    phase      TEXT    NOT NULL,
    reply      TEXT    NOT NULL,
    tls        TEXT    NOT NULL,
    PRIMARY KEY (outbox_id, attempt)
) STRICT, WITHOUT ROWID;

-- A running sender; what it holds is free again when alive_until has passed.
CREATE TABLE senders (
    id          TEXT    NOT NULL PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    alive_until INTEGER NOT NULL
) STRICT;
