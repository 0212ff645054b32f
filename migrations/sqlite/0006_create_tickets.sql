-- The conversation with one organisation about one incident.
CREATE TABLE tickets (
    id               TEXT    NOT NULL PRIMARY KEY,
    incident_id      INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id        TEXT    NOT NULL REFERENCES tenants (id),
    token            TEXT    NOT NULL UNIQUE, -- part of every Reply-To; unguessable
    status           TEXT    NOT NULL CONSTRAINT known_status CHECK (status IN ('open', 'closed')),
    turn             TEXT    NOT NULL CONSTRAINT known_turn CHECK (turn IN ('ours', 'theirs', 'nobody')),
    debt             INTEGER NOT NULL CONSTRAINT debt_is_a_count CHECK (debt >= 0), -- questions open or promised; kept by triggers
    agent            TEXT,
    opened_at        INTEGER NOT NULL,
    closed_at        INTEGER,
    last_inbound_at  INTEGER,
    last_outbound_at INTEGER,
    UNIQUE (incident_id, tenant_id),
    CONSTRAINT closed_iff_settled CHECK (status = 'open' OR debt = 0),
    CONSTRAINT closed_iff_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL))
) STRICT;

-- Something a person of the organisation asked.
CREATE TABLE questions (
    id          TEXT    NOT NULL PRIMARY KEY,
    ticket_id   TEXT    NOT NULL REFERENCES tickets (id),
    state       TEXT    NOT NULL CONSTRAINT known_state CHECK (state IN ('open', 'promised', 'answered', 'declined', 'withdrawn')),
    text        TEXT    NOT NULL,
    asked_by    TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL,
    inbound_id  TEXT,
    promised_by INTEGER,
    settled_at  INTEGER,
    entry_id    TEXT, -- the timeline entry that answered, declined or withdrew it
    proposed_by TEXT, -- who proposed to decline
    decline_why TEXT,
    review_at   INTEGER,
    approved_by TEXT,
    CONSTRAINT promised_has_time CHECK (state <> 'promised' OR promised_by IS NOT NULL),
    CONSTRAINT settled_has_time CHECK ((state IN ('answered', 'declined', 'withdrawn')) = (settled_at IS NOT NULL)),
    CONSTRAINT answered_names_the_answer CHECK (state <> 'answered' OR entry_id IS NOT NULL),
    CONSTRAINT declined_by_two CHECK (state <> 'declined' OR (decline_why IS NOT NULL AND review_at IS NOT NULL AND approved_by IS NOT NULL AND proposed_by IS NOT NULL AND approved_by <> proposed_by))
) STRICT;

-- The ledger of a ticket; also counts its debt.
CREATE INDEX questions_by_ticket ON questions (ticket_id, state);

-- What happened in a ticket, in order. Entries are only added.
CREATE TABLE ticket_entries (
    id        TEXT    NOT NULL PRIMARY KEY,
    ticket_id TEXT    NOT NULL REFERENCES tickets (id),
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE INDEX ticket_entries_by_ticket ON ticket_entries (ticket_id, id);

-- Mail as it came in, stored before anything is made of it.
CREATE TABLE inbound (
    id            TEXT    NOT NULL PRIMARY KEY,
    digest        TEXT    NOT NULL UNIQUE, -- of envelope and content: a mail handed over twice is one mail
    raw           BLOB    NOT NULL,
    envelope_from TEXT,
    envelope_to   TEXT,
    received_at   INTEGER NOT NULL,
    state         TEXT    NOT NULL CONSTRAINT known_state CHECK (state IN ('stored', 'filed', 'quarantined', 'failed')),
    tries         INTEGER NOT NULL,
    class         TEXT,
    trust         TEXT    CONSTRAINT known_trust CHECK (trust IN ('A', 'B', 'U', 'C')),
    message_id    TEXT,
    ticket_id     TEXT    REFERENCES tickets (id),
    outbox_id     TEXT,
    verdict       TEXT    -- JSON of what was read: evidence, recipients, new text
) STRICT;
-- The sweep looks for mail that was stored and not yet filed.
CREATE INDEX inbound_not_filed ON inbound (received_at) WHERE state = 'stored';
CREATE INDEX inbound_by_ticket ON inbound (ticket_id);

-- A ticket is born without debt; its questions make it.
CREATE TRIGGER tickets_start_without_debt BEFORE INSERT ON tickets WHEN NEW.debt <> 0
BEGIN SELECT RAISE(ABORT, 'debt_is_counted: a new ticket has no questions yet'); END;
-- Nobody writes the debt: it is what the questions say.
CREATE TRIGGER tickets_debt_is_counted BEFORE UPDATE OF debt, status ON tickets
WHEN NEW.debt <> (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.id AND state IN ('open', 'promised'))
BEGIN SELECT RAISE(ABORT, 'debt_is_counted: the debt of a ticket is the number of its open and promised questions'); END;
CREATE TRIGGER tickets_are_kept BEFORE DELETE ON tickets
BEGIN SELECT RAISE(ABORT, 'tickets_are_kept: a ticket is closed, never deleted'); END;
CREATE TRIGGER questions_are_kept BEFORE DELETE ON questions
BEGIN SELECT RAISE(ABORT, 'questions_are_kept: a question is answered, declined or withdrawn, never deleted'); END;
CREATE TRIGGER questions_stay_with_their_ticket BEFORE UPDATE OF ticket_id ON questions WHEN NEW.ticket_id <> OLD.ticket_id
BEGIN SELECT RAISE(ABORT, 'questions_stay: a question never moves to another ticket'); END;
-- A question opens its ticket again, whoever wrote the row.
CREATE TRIGGER questions_count_when_asked AFTER INSERT ON questions
BEGIN
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.ticket_id AND state IN ('open', 'promised')),
        status = CASE WHEN NEW.state IN ('open', 'promised') THEN 'open' ELSE status END,
        closed_at = CASE WHEN NEW.state IN ('open', 'promised') THEN NULL ELSE closed_at END
    WHERE id = NEW.ticket_id;
END;
CREATE TRIGGER questions_count_when_changed AFTER UPDATE OF state ON questions
BEGIN
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.ticket_id AND state IN ('open', 'promised')),
        status = CASE WHEN NEW.state IN ('open', 'promised') THEN 'open' ELSE status END,
        closed_at = CASE WHEN NEW.state IN ('open', 'promised') THEN NULL ELSE closed_at END
    WHERE id = NEW.ticket_id;
END;
