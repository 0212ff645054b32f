-- The conversation with one organisation about one incident.
CREATE TABLE tickets (
    id               TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id      BIGINT  NOT NULL REFERENCES incidents (id),
    tenant_id        TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    token            TEXT COLLATE "C"    NOT NULL UNIQUE, -- part of every Reply-To; unguessable
    status           TEXT COLLATE "C"    NOT NULL CONSTRAINT known_status CHECK (status IN ('open', 'closed')),
    turn             TEXT COLLATE "C"    NOT NULL CONSTRAINT known_turn CHECK (turn IN ('ours', 'theirs', 'nobody')),
    debt             BIGINT  NOT NULL CONSTRAINT debt_is_a_count CHECK (debt >= 0), -- questions open or promised; kept by triggers
    agent            TEXT COLLATE "C",
    opened_at        BIGINT  NOT NULL,
    closed_at        BIGINT ,
    last_inbound_at  BIGINT ,
    last_outbound_at BIGINT ,
    UNIQUE (incident_id, tenant_id),
    CONSTRAINT closed_iff_settled CHECK (status = 'open' OR debt = 0),
    CONSTRAINT closed_iff_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);

-- Something a person of the organisation asked.
CREATE TABLE questions (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    ticket_id   TEXT COLLATE "C"    NOT NULL REFERENCES tickets (id),
    state       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_state CHECK (state IN ('open', 'promised', 'answered', 'declined', 'withdrawn')),
    text        TEXT COLLATE "C"    NOT NULL,
    asked_by    TEXT COLLATE "C"    NOT NULL,
    asked_at    BIGINT  NOT NULL,
    inbound_id  TEXT COLLATE "C",
    promised_by BIGINT ,
    settled_at  BIGINT ,
    entry_id    TEXT COLLATE "C", -- the timeline entry that answered, declined or withdrew it
    proposed_by TEXT COLLATE "C", -- who proposed to decline
    decline_why TEXT COLLATE "C",
    review_at   BIGINT ,
    approved_by TEXT COLLATE "C",
    CONSTRAINT promised_has_time CHECK (state <> 'promised' OR promised_by IS NOT NULL),
    CONSTRAINT settled_has_time CHECK ((state IN ('answered', 'declined', 'withdrawn')) = (settled_at IS NOT NULL)),
    CONSTRAINT answered_names_the_answer CHECK (state <> 'answered' OR entry_id IS NOT NULL),
    CONSTRAINT declined_by_two CHECK (state <> 'declined' OR (decline_why IS NOT NULL AND review_at IS NOT NULL AND approved_by IS NOT NULL AND proposed_by IS NOT NULL AND approved_by <> proposed_by))
);

-- The ledger of a ticket; also counts its debt.
CREATE INDEX questions_by_ticket ON questions (ticket_id, state);

-- What happened in a ticket, in order. Entries are only added.
CREATE TABLE ticket_entries (
    id        TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    ticket_id TEXT COLLATE "C"    NOT NULL REFERENCES tickets (id),
    at        BIGINT  NOT NULL,
    kind      TEXT COLLATE "C"    NOT NULL,
    actor     TEXT COLLATE "C"    NOT NULL,
    body      TEXT COLLATE "C"    NOT NULL
);
CREATE INDEX ticket_entries_by_ticket ON ticket_entries (ticket_id, id);

-- Mail as it came in, stored before anything is made of it.
CREATE TABLE inbound (
    id            TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    digest        TEXT COLLATE "C"    NOT NULL UNIQUE, -- of envelope and content: a mail handed over twice is one mail
    raw           BYTEA   NOT NULL,
    envelope_from TEXT COLLATE "C",
    envelope_to   TEXT COLLATE "C",
    received_at   BIGINT  NOT NULL,
    state         TEXT COLLATE "C"    NOT NULL CONSTRAINT known_state CHECK (state IN ('stored', 'filed', 'quarantined', 'failed')),
    tries         BIGINT  NOT NULL,
    class         TEXT COLLATE "C",
    trust         TEXT COLLATE "C"    CONSTRAINT known_trust CHECK (trust IN ('A', 'B', 'U', 'C')),
    message_id    TEXT COLLATE "C",
    ticket_id     TEXT COLLATE "C"    REFERENCES tickets (id),
    outbox_id     TEXT COLLATE "C",
    verdict       TEXT COLLATE "C"    -- JSON of what was read: evidence, recipients, new text
);
-- The sweep looks for mail that was stored and not yet filed.
CREATE INDEX inbound_not_filed ON inbound (received_at) WHERE state = 'stored';
CREATE INDEX inbound_by_ticket ON inbound (ticket_id);

-- A ticket is born without debt; its questions make it.
CREATE FUNCTION tickets_start_without_debt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.debt <> 0 THEN
        RAISE EXCEPTION 'debt_is_counted: a new ticket has no questions yet' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER tickets_start_without_debt BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_start_without_debt();
-- Nobody writes the debt: it is what the questions say.
CREATE FUNCTION tickets_debt_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.debt <> (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.id AND state IN ('open', 'promised')) THEN
        RAISE EXCEPTION 'debt_is_counted: the debt of a ticket is the number of its open and promised questions' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER tickets_debt_is_counted BEFORE UPDATE OF debt, status ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_debt_is_counted();
CREATE FUNCTION tickets_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'tickets_are_kept: a ticket is closed, never deleted' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END;
$$;
CREATE TRIGGER tickets_are_kept BEFORE DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_are_kept();
CREATE FUNCTION questions_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRUE THEN
        RAISE EXCEPTION 'questions_are_kept: a question is answered, declined or withdrawn, never deleted' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END;
$$;
CREATE TRIGGER questions_are_kept BEFORE DELETE ON questions FOR EACH ROW EXECUTE FUNCTION questions_are_kept();
CREATE FUNCTION questions_stay_with_their_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ticket_id <> OLD.ticket_id THEN
        RAISE EXCEPTION 'questions_stay: a question never moves to another ticket' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER questions_stay_with_their_ticket BEFORE UPDATE OF ticket_id ON questions FOR EACH ROW EXECUTE FUNCTION questions_stay_with_their_ticket();
-- A question opens its ticket again, whoever wrote the row. The ticket's row lock puts a close and a new question in a row.
CREATE FUNCTION questions_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM tickets WHERE id = NEW.ticket_id FOR UPDATE;
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.ticket_id AND state IN ('open', 'promised')),
        status = CASE WHEN NEW.state IN ('open', 'promised') THEN 'open' ELSE status END,
        closed_at = CASE WHEN NEW.state IN ('open', 'promised') THEN NULL ELSE closed_at END
    WHERE id = NEW.ticket_id;
    RETURN NULL;
END;
$$;
CREATE TRIGGER questions_count_when_asked AFTER INSERT ON questions FOR EACH ROW EXECUTE FUNCTION questions_count();
CREATE TRIGGER questions_count_when_changed AFTER UPDATE OF state ON questions FOR EACH ROW EXECUTE FUNCTION questions_count();
