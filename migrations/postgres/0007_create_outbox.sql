-- A released group of notices, armed by two people.
CREATE TABLE waves (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT  NOT NULL REFERENCES incidents (id),
    name        TEXT COLLATE "C"    NOT NULL,
    released_by TEXT COLLATE "C"    NOT NULL,
    released_at BIGINT  NOT NULL,
    notices     BIGINT  NOT NULL,
    pace        BIGINT ,          -- mails a second; none = as fast as the route takes them
    paused_at   BIGINT ,
    UNIQUE (incident_id, name)
);

-- Every mail that is to leave: one row a recipient, before the first byte. A row with a notice is a delivery.
CREATE TABLE outbox (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT  NOT NULL REFERENCES incidents (id),
    cause       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_cause CHECK (cause IN ('wave', 'agent', 'policy')),
    cause_id    TEXT COLLATE "C"    NOT NULL, -- the wave, the ticket entry, the firing
    wave_id     TEXT COLLATE "C"    REFERENCES waves (id),
    letter_id   TEXT COLLATE "C"    NOT NULL REFERENCES letters (id),
    notice_id   TEXT COLLATE "C"    REFERENCES notices (id),
    ticket_id   TEXT COLLATE "C"    REFERENCES tickets (id),
    tenant_id   TEXT COLLATE "C"    REFERENCES tenants (id),
    contact_id  TEXT COLLATE "C"    REFERENCES contacts (id),
    address     TEXT COLLATE "C"    NOT NULL,
    name        TEXT COLLATE "C"    NOT NULL,
    message_id  TEXT COLLATE "C"    NOT NULL UNIQUE,
    reply_token TEXT COLLATE "C"    NOT NULL,
    thread_id   TEXT COLLATE "C",             -- the Message-ID this mail answers or follows
    state       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_state CHECK (state IN ('queued', 'leased', 'at_dot', 'accepted', 'deferred', 'uncertain', 'bounced', 'failed', 'suppressed', 'cancelled')),
    attempts    BIGINT  NOT NULL,
    next_at     BIGINT  NOT NULL, -- real time: the sender's clock is never moved
    lease       TEXT COLLATE "C",             -- the sender that holds it
    created_at  BIGINT  NOT NULL,
    settled_at  BIGINT ,
    last_reply  TEXT COLLATE "C"    NOT NULL,
    CONSTRAINT one_row_per_recipient UNIQUE (notice_id, address),
    CONSTRAINT leased_iff_lease CHECK ((state IN ('leased', 'at_dot')) = (lease IS NOT NULL)),
    CONSTRAINT wave_iff_cause CHECK ((cause = 'wave') = (wave_id IS NOT NULL)),
    CONSTRAINT settled_has_time CHECK ((state IN ('accepted', 'bounced', 'failed', 'suppressed', 'cancelled')) = (settled_at IS NOT NULL))
);
-- The claim takes what is due, oldest first.
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state IN ('queued', 'deferred', 'uncertain');
-- The sweep looks for leases of senders that are gone.
CREATE INDEX outbox_leased ON outbox (lease) WHERE lease IS NOT NULL;
-- Ladders ask which mails of a ticket were accepted, and when.
CREATE INDEX outbox_by_ticket ON outbox (ticket_id, state, settled_at);
CREATE INDEX outbox_by_incident ON outbox (incident_id, tenant_id, state);

-- One try: a ledger, only added to and finished.
CREATE TABLE attempts (
    outbox_id  TEXT COLLATE "C"    NOT NULL REFERENCES outbox (id),
    attempt    BIGINT  NOT NULL,
    sender     TEXT COLLATE "C"    NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT  NOT NULL,
    outcome    TEXT COLLATE "C"    NOT NULL,
    phase      TEXT COLLATE "C"    NOT NULL,
    reply      TEXT COLLATE "C"    NOT NULL,
    tls        TEXT COLLATE "C"    NOT NULL,
    PRIMARY KEY (outbox_id, attempt)
);

-- A running sender; what it holds is free again when alive_until has passed.
CREATE TABLE senders (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    started_at  BIGINT  NOT NULL,
    alive_until BIGINT  NOT NULL
);
