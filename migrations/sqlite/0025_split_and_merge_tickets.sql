-- no-transaction
-- A conversation can be split, and parts of it merged again: one main ticket for each organisation and incident, others
-- beside it. SQLite cannot drop the UNIQUE of a table, in PostgreSQL the CONSTRAINT tickets_incident_id_tenant_id_key of it, so
-- the table is made anew (https://sqlite.org/lang_altertable.html, section 7); triggers elsewhere go on meaning it by its
-- name. Run again after a crash, it makes it anew from what is there. Whoever adds triggers on tickets in an earlier number
-- makes them anew here.
PRAGMA foreign_keys = OFF;
PRAGMA legacy_alter_table = ON;
BEGIN IMMEDIATE;
-- The conversation with one organisation about one incident, or a part of it.
CREATE TABLE tickets_anew (
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
    split_from       TEXT REFERENCES tickets (id), -- none: the main ticket
    merged_into      TEXT REFERENCES tickets (id), -- where its questions went, and where its mail lands
    CONSTRAINT closed_iff_settled CHECK (status = 'open' OR debt = 0),
    CONSTRAINT closed_iff_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT merged_is_closed CHECK (merged_into IS NULL OR (status = 'closed' AND split_from IS NOT NULL))
) STRICT;
INSERT INTO tickets_anew (id, incident_id, tenant_id, token, status, turn, debt, agent, opened_at, closed_at, last_inbound_at, last_outbound_at)
SELECT id, incident_id, tenant_id, token, status, turn, debt, agent, opened_at, closed_at, last_inbound_at, last_outbound_at FROM tickets;
DROP TABLE tickets;
ALTER TABLE tickets_anew RENAME TO tickets;
-- One main ticket for each organisation and incident.
CREATE UNIQUE INDEX one_main_ticket ON tickets (incident_id, tenant_id) WHERE split_from IS NULL;
-- All parts of a conversation.
CREATE INDEX tickets_by_tenant ON tickets (incident_id, tenant_id);

-- A ticket is born without debt; its questions make it.
CREATE TRIGGER tickets_start_without_debt BEFORE INSERT ON tickets WHEN NEW.debt <> 0
BEGIN SELECT RAISE(ABORT, 'debt_is_counted: a new ticket has no questions yet'); END;
-- Nobody writes the debt: it is what the questions say.
CREATE TRIGGER tickets_debt_is_counted BEFORE UPDATE OF debt, status ON tickets
WHEN NEW.debt <> (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.id AND state IN ('open', 'promised'))
BEGIN SELECT RAISE(ABORT, 'debt_is_counted: the debt of a ticket is the number of its open and promised questions'); END;
CREATE TRIGGER tickets_are_kept BEFORE DELETE ON tickets
BEGIN SELECT RAISE(ABORT, 'tickets_are_kept: a ticket is closed, never deleted'); END;
-- A part is of the same organisation and incident, and nothing is merged into what is merged itself.
CREATE TRIGGER tickets_split_within BEFORE INSERT ON tickets
WHEN NEW.split_from IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM tickets t WHERE t.id = NEW.split_from AND t.incident_id = NEW.incident_id AND t.tenant_id = NEW.tenant_id)
BEGIN SELECT RAISE(ABORT, 'tickets_split_within: a ticket is split within its organisation and incident'); END;
CREATE TRIGGER tickets_merge_within BEFORE UPDATE OF merged_into, incident_id, tenant_id ON tickets
WHEN NEW.incident_id <> OLD.incident_id OR NEW.tenant_id <> OLD.tenant_id OR (NEW.merged_into IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM tickets t
    WHERE t.id = NEW.merged_into AND t.id <> NEW.id AND t.merged_into IS NULL AND t.incident_id = NEW.incident_id AND t.tenant_id = NEW.tenant_id))
BEGIN SELECT RAISE(ABORT, 'tickets_merge_within: a ticket is merged within its organisation and incident, for ever'); END;

-- A question moves within its organisation and incident only, and counts where it is.
DROP TRIGGER questions_stay_with_their_ticket;
CREATE TRIGGER questions_stay_with_their_ticket BEFORE UPDATE OF ticket_id ON questions
WHEN NEW.ticket_id <> OLD.ticket_id AND NOT EXISTS (
    SELECT 1 FROM tickets a JOIN tickets b ON b.incident_id = a.incident_id AND b.tenant_id = a.tenant_id
    WHERE a.id = OLD.ticket_id AND b.id = NEW.ticket_id AND b.merged_into IS NULL)
BEGIN SELECT RAISE(ABORT, 'questions_stay: a question never moves to another organisation or incident'); END;
DROP TRIGGER questions_count_when_changed;
CREATE TRIGGER questions_count_when_changed AFTER UPDATE OF state, ticket_id ON questions
BEGIN
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = OLD.ticket_id AND state IN ('open', 'promised'))
    WHERE id = OLD.ticket_id AND OLD.ticket_id <> NEW.ticket_id;
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.ticket_id AND state IN ('open', 'promised')),
        status = CASE WHEN NEW.state IN ('open', 'promised') THEN 'open' ELSE status END,
        closed_at = CASE WHEN NEW.state IN ('open', 'promised') THEN NULL ELSE closed_at END
    WHERE id = NEW.ticket_id;
END;

-- As before the table was made anew: a ticket is not closed over an agent's letter that does not leave by itself.
CREATE TRIGGER tickets_close_when_answers_leave BEFORE UPDATE OF status ON tickets
WHEN NEW.status = 'closed' AND OLD.status <> 'closed' AND EXISTS (
    SELECT 1 FROM outbox o
    WHERE o.ticket_id = NEW.id AND o.cause = 'agent' AND (o.state IN ('deferred', 'uncertain') OR (o.state = 'queued' AND (
        EXISTS (SELECT 1 FROM mapping_decisions d
            WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id AND d.decision = 'disputed' AND d.lapsed_at IS NULL)
        OR EXISTS (SELECT 1 FROM denials y
            WHERE y.address = o.address AND y.settled_at IS NULL
                AND (y.incident_id <> o.incident_id OR y.tenant_id <> o.tenant_id OR o.notice_id IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = o.contact_id
                    AND (c.disabled_at IS NOT NULL OR c.left_at IS NOT NULL OR c.merged_into IS NOT NULL)))))))
BEGIN SELECT RAISE(ABORT, 'answers_leave_first: a letter of this ticket is held or was tried in vain'); END;
COMMIT;
PRAGMA legacy_alter_table = OFF;
PRAGMA foreign_keys = ON;
