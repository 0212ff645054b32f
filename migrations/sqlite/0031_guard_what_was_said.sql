-- What was asked, said and written to us is never rewritten, and no statement closes a ticket by way of its rows. REPLACE
-- deletes rows without firing triggers on DELETE, so an INSERT that meets a row that is there is refused, or, where this
-- program adds again what may be there, does nothing; and no UPDATE gives a row another key. PostgreSQL has no REPLACE, but
-- TRUNCATE, which is refused there.

-- A ticket begins open.
CREATE TRIGGER tickets_are_born_open BEFORE INSERT ON tickets WHEN NEW.status <> 'open' OR NEW.merged_into IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'tickets_are_born_open: a ticket begins open, and is closed by its verb'); END;
CREATE TRIGGER tickets_are_added_once BEFORE INSERT ON tickets
BEGIN
    SELECT RAISE(ABORT, 'tickets_are_added_once: there is a ticket of this id') FROM tickets WHERE id = NEW.id;
    SELECT RAISE(ABORT, 'tickets_are_added_once: there is a ticket in this row') FROM tickets WHERE rowid = NEW.rowid;
    SELECT RAISE(IGNORE) FROM tickets
    WHERE incident_id = NEW.incident_id AND tenant_id = NEW.tenant_id AND split_from IS NULL AND NEW.split_from IS NULL;
    SELECT RAISE(ABORT, 'tickets_are_added_once: there is a ticket of this token') FROM tickets WHERE token = NEW.token;
END;
-- Debt is counted by the id.
CREATE TRIGGER tickets_keep_their_name BEFORE UPDATE OF id, token, incident_id, tenant_id, split_from, opened_at ON tickets
WHEN NEW.id IS NOT OLD.id OR NEW.token IS NOT OLD.token OR NEW.incident_id IS NOT OLD.incident_id OR NEW.tenant_id IS NOT OLD.tenant_id
    OR NEW.split_from IS NOT OLD.split_from OR NEW.opened_at IS NOT OLD.opened_at
BEGIN SELECT RAISE(ABORT, 'tickets_keep_their_name: whose a ticket is, its token and since when it is open never change'); END;
CREATE TRIGGER tickets_keep_their_row BEFORE UPDATE ON tickets WHEN NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'tickets_keep_their_row: no ticket takes the row of another'); END;

-- A question begins open, in the words of whoever asked.
CREATE TRIGGER questions_are_born_open BEFORE INSERT ON questions WHEN NEW.state <> 'open'
BEGIN SELECT RAISE(ABORT, 'questions_are_born_open: a question begins open'); END;
CREATE TRIGGER questions_are_added_once BEFORE INSERT ON questions
WHEN EXISTS (SELECT 1 FROM questions WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM questions WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'questions_are_added_once: there is a question of this id'); END;
CREATE TRIGGER questions_keep_their_words BEFORE UPDATE OF id, text, asked_by, asked_at, inbound_id ON questions
WHEN NEW.id IS NOT OLD.id OR NEW.text IS NOT OLD.text OR NEW.asked_by IS NOT OLD.asked_by OR NEW.asked_at IS NOT OLD.asked_at
    OR NEW.inbound_id IS NOT OLD.inbound_id
BEGIN SELECT RAISE(ABORT, 'questions_keep_their_words: what was asked, by whom and when never changes'); END;
CREATE TRIGGER questions_keep_their_row BEFORE UPDATE ON questions WHEN NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'questions_keep_their_row: no question takes the row of another'); END;
-- Answered means that an answer in its ticket says so.
CREATE TRIGGER questions_are_answered_by_answers BEFORE UPDATE OF state, entry_id ON questions
WHEN NEW.state = 'answered' AND NOT EXISTS (
    SELECT 1 FROM ticket_entries e WHERE e.id = NEW.entry_id AND e.ticket_id = NEW.ticket_id AND e.kind = 'answer')
BEGIN SELECT RAISE(ABORT, 'questions_are_answered_by_answers: a question is answered by an answer in its ticket'); END;
-- Two people, a reason, a later review, and the second person's line in the ticket.
CREATE TRIGGER questions_are_declined_by_two_people BEFORE UPDATE OF state, entry_id, proposed_by, approved_by, decline_why, review_at ON questions
WHEN NEW.state = 'declined' AND (
    TRIM(NEW.decline_why) = '' OR TRIM(NEW.proposed_by) = '' OR TRIM(NEW.approved_by) = ''
    OR LOWER(REPLACE(NEW.proposed_by, ' ', '')) = LOWER(REPLACE(NEW.approved_by, ' ', ''))
    OR NEW.review_at <= NEW.settled_at
    OR NOT EXISTS (
        SELECT 1 FROM ticket_entries e
        WHERE e.id = NEW.entry_id AND e.ticket_id = NEW.ticket_id AND e.kind = 'decline' AND e.actor = NEW.approved_by))
BEGIN SELECT RAISE(ABORT, 'questions_are_declined_by_two_people: two people decline, with a reason and a later review, in the ticket'); END;

-- The timeline is only added to.
CREATE TRIGGER entries_are_frozen BEFORE UPDATE ON ticket_entries
BEGIN SELECT RAISE(ABORT, 'entries_are_frozen: the timeline is only added to'); END;
CREATE TRIGGER entries_are_kept BEFORE DELETE ON ticket_entries
BEGIN SELECT RAISE(ABORT, 'entries_are_kept: the timeline is only added to'); END;
CREATE TRIGGER entries_are_added_once BEFORE INSERT ON ticket_entries
WHEN EXISTS (SELECT 1 FROM ticket_entries WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM ticket_entries WHERE rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'entries_are_added_once: the timeline is only added to'); END;

-- A mail stays as it came; what is made of it may change.
CREATE TRIGGER inbound_is_frozen BEFORE UPDATE OF id, digest, raw, via, peer, hello, envelope_from, envelope_to, received_at ON inbound
WHEN NEW.id IS NOT OLD.id OR NEW.digest IS NOT OLD.digest OR NEW.raw IS NOT OLD.raw OR NEW.via IS NOT OLD.via OR NEW.peer IS NOT OLD.peer
    OR NEW.hello IS NOT OLD.hello OR NEW.envelope_from IS NOT OLD.envelope_from OR NEW.envelope_to IS NOT OLD.envelope_to
    OR NEW.received_at IS NOT OLD.received_at
BEGIN SELECT RAISE(ABORT, 'inbound_is_frozen: a mail stays as it came'); END;
CREATE TRIGGER inbound_is_kept BEFORE DELETE ON inbound
BEGIN SELECT RAISE(ABORT, 'inbound_is_kept: a mail that came in is never deleted'); END;
CREATE TRIGGER inbound_is_added_once BEFORE INSERT ON inbound
BEGIN
    SELECT RAISE(ABORT, 'inbound_is_added_once: there is a mail of this id') FROM inbound WHERE id = NEW.id;
    SELECT RAISE(ABORT, 'inbound_is_added_once: there is a mail in this row') FROM inbound WHERE rowid = NEW.rowid;
    SELECT RAISE(IGNORE) FROM inbound WHERE digest = NEW.digest;
END;
CREATE TRIGGER inbound_keeps_its_row BEFORE UPDATE ON inbound WHEN NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'inbound_keeps_its_row: no mail takes the row of another'); END;

-- What an agent wrote leaves as it was written, or stays as evidence that it did not.
CREATE TRIGGER agents_letters_are_frozen BEFORE UPDATE OF id, incident_id, cause, cause_id, letter_id, ticket_id, tenant_id, address, message_id, created_at ON outbox
WHEN OLD.cause = 'agent' AND (NEW.id IS NOT OLD.id OR NEW.incident_id IS NOT OLD.incident_id OR NEW.cause IS NOT OLD.cause
    OR NEW.cause_id IS NOT OLD.cause_id OR NEW.letter_id IS NOT OLD.letter_id OR NEW.ticket_id IS NOT OLD.ticket_id
    OR NEW.tenant_id IS NOT OLD.tenant_id OR NEW.address IS NOT OLD.address OR NEW.message_id IS NOT OLD.message_id
    OR NEW.created_at IS NOT OLD.created_at)
BEGIN SELECT RAISE(ABORT, 'agents_letters_are_frozen: what an agent wrote, and to whom, never changes'); END;
CREATE TRIGGER agents_letters_are_kept BEFORE DELETE ON outbox WHEN OLD.cause = 'agent'
BEGIN SELECT RAISE(ABORT, 'agents_letters_are_kept: what an agent wrote is never deleted'); END;
CREATE TRIGGER agents_letters_are_added_once BEFORE INSERT ON outbox
WHEN EXISTS (SELECT 1 FROM outbox WHERE id = NEW.id AND cause = 'agent')
    OR EXISTS (SELECT 1 FROM outbox WHERE message_id = NEW.message_id AND cause = 'agent')
    OR EXISTS (SELECT 1 FROM outbox WHERE rowid = NEW.rowid AND cause = 'agent')
BEGIN SELECT RAISE(ABORT, 'agents_letters_are_added_once: there is a letter of an agent in its place'); END;
CREATE TRIGGER letters_are_added_once BEFORE INSERT ON letters
WHEN NEW.notice_id IS NULL AND (EXISTS (SELECT 1 FROM letters WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM letters WHERE rowid = NEW.rowid))
BEGIN SELECT RAISE(ABORT, 'letters_are_added_once: there is a letter of this id'); END;

-- A ladder keeps what it was started with, and what it fired.
CREATE TRIGGER escalations_are_frozen BEFORE UPDATE OF id, incident_id, policy, subject, snapshot, measured_from, started_at ON escalations
WHEN NEW.id IS NOT OLD.id OR NEW.incident_id IS NOT OLD.incident_id OR NEW.policy IS NOT OLD.policy OR NEW.subject IS NOT OLD.subject
    OR NEW.snapshot IS NOT OLD.snapshot OR NEW.measured_from IS NOT OLD.measured_from OR NEW.started_at IS NOT OLD.started_at
BEGIN SELECT RAISE(ABORT, 'escalations_are_frozen: a ladder keeps what it was started with'); END;
CREATE TRIGGER escalations_are_kept BEFORE DELETE ON escalations
BEGIN SELECT RAISE(ABORT, 'escalations_are_kept: a ladder ends, and is never deleted'); END;
CREATE TRIGGER escalations_are_added_once BEFORE INSERT ON escalations
BEGIN
    SELECT RAISE(ABORT, 'escalations_are_added_once: there is a ladder of this id') FROM escalations WHERE id = NEW.id;
    SELECT RAISE(ABORT, 'escalations_are_added_once: there is a ladder in this row') FROM escalations WHERE rowid = NEW.rowid;
    SELECT RAISE(IGNORE) FROM escalations
    WHERE ticket_id = NEW.ticket_id AND policy = NEW.policy AND subject = NEW.subject AND ended_at IS NULL AND NEW.ended_at IS NULL;
END;
CREATE TRIGGER firings_are_frozen BEFORE UPDATE OF id, escalation_id, rung, repeat, due_at, fired_at, target ON firings
WHEN NEW.id IS NOT OLD.id OR NEW.escalation_id IS NOT OLD.escalation_id OR NEW.rung IS NOT OLD.rung OR NEW.repeat IS NOT OLD.repeat
    OR NEW.due_at IS NOT OLD.due_at OR NEW.fired_at IS NOT OLD.fired_at OR NEW.target IS NOT OLD.target
BEGIN SELECT RAISE(ABORT, 'firings_are_frozen: what a ladder fired never changes'); END;
CREATE TRIGGER firings_are_kept BEFORE DELETE ON firings
BEGIN SELECT RAISE(ABORT, 'firings_are_kept: what a ladder fired is never deleted'); END;

-- In PostgreSQL alone:
-- CREATE TRIGGER tickets_are_not_truncated
-- CREATE TRIGGER questions_are_not_truncated
-- CREATE TRIGGER entries_are_not_truncated
-- CREATE TRIGGER inbound_is_not_truncated
-- CREATE TRIGGER outbox_is_not_truncated
-- CREATE TRIGGER letters_are_not_truncated
-- CREATE TRIGGER escalations_are_not_truncated
-- CREATE TRIGGER firings_are_not_truncated
