-- What was asked, said and written to us is never rewritten, and no statement closes a ticket by way of its rows. TRUNCATE
-- fires no trigger on DELETE, so it is refused by one of its own; and no UPDATE gives a row another key. SQLite has no
-- TRUNCATE, but REPLACE, which is refused there.
CREATE FUNCTION is_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END;
$$;

-- A ticket begins open.
CREATE TRIGGER tickets_are_born_open BEFORE INSERT ON tickets FOR EACH ROW WHEN (NEW.status <> 'open' OR NEW.merged_into IS NOT NULL)
EXECUTE FUNCTION is_refused('tickets_are_born_open: a ticket begins open, and is closed by its verb');
-- Debt is counted by the id.
CREATE TRIGGER tickets_keep_their_name BEFORE UPDATE OF id, token, incident_id, tenant_id, split_from, opened_at ON tickets FOR EACH ROW
WHEN ((NEW.id, NEW.token, NEW.incident_id, NEW.tenant_id, NEW.split_from, NEW.opened_at)
    IS DISTINCT FROM (OLD.id, OLD.token, OLD.incident_id, OLD.tenant_id, OLD.split_from, OLD.opened_at))
EXECUTE FUNCTION is_refused('tickets_keep_their_name: whose a ticket is, its token and since when it is open never change');
CREATE TRIGGER tickets_are_not_truncated BEFORE TRUNCATE ON tickets FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('tickets_are_kept: a ticket is closed, never deleted');

-- A question begins open, in the words of whoever asked.
CREATE TRIGGER questions_are_born_open BEFORE INSERT ON questions FOR EACH ROW WHEN (NEW.state <> 'open')
EXECUTE FUNCTION is_refused('questions_are_born_open: a question begins open');
CREATE TRIGGER questions_keep_their_words BEFORE UPDATE OF id, text, asked_by, asked_at, inbound_id ON questions FOR EACH ROW
WHEN ((NEW.id, NEW.text, NEW.asked_by, NEW.asked_at, NEW.inbound_id) IS DISTINCT FROM (OLD.id, OLD.text, OLD.asked_by, OLD.asked_at, OLD.inbound_id))
EXECUTE FUNCTION is_refused('questions_keep_their_words: what was asked, by whom and when never changes');
CREATE TRIGGER questions_are_not_truncated BEFORE TRUNCATE ON questions FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('questions_are_kept: a question is answered, declined or withdrawn, never deleted');
-- Answered means that an answer in its ticket says so.
CREATE FUNCTION questions_are_answered_by_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ticket_entries e WHERE e.id = NEW.entry_id AND e.ticket_id = NEW.ticket_id AND e.kind = 'answer') THEN
        RAISE EXCEPTION 'questions_are_answered_by_answers: a question is answered by an answer in its ticket' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER questions_are_answered_by_answers BEFORE UPDATE OF state, entry_id ON questions FOR EACH ROW WHEN (NEW.state = 'answered')
EXECUTE FUNCTION questions_are_answered_by_answers();
-- Two people, a reason, a later review, and the second person's line in the ticket.
CREATE FUNCTION questions_are_declined_by_two_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TRIM(NEW.decline_why) = '' OR TRIM(NEW.proposed_by) = '' OR TRIM(NEW.approved_by) = ''
        OR LOWER(REPLACE(NEW.proposed_by, ' ', '')) = LOWER(REPLACE(NEW.approved_by, ' ', ''))
        OR NEW.review_at <= NEW.settled_at
        OR NOT EXISTS (
            SELECT 1 FROM ticket_entries e
            WHERE e.id = NEW.entry_id AND e.ticket_id = NEW.ticket_id AND e.kind = 'decline' AND e.actor = NEW.approved_by) THEN
        RAISE EXCEPTION 'questions_are_declined_by_two_people: two people decline, with a reason and a later review, in the ticket' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER questions_are_declined_by_two_people BEFORE UPDATE OF state, entry_id, proposed_by, approved_by, decline_why, review_at ON questions
FOR EACH ROW WHEN (NEW.state = 'declined')
EXECUTE FUNCTION questions_are_declined_by_two_people();

-- The timeline is only added to.
CREATE TRIGGER entries_are_frozen BEFORE UPDATE ON ticket_entries FOR EACH ROW
EXECUTE FUNCTION is_refused('entries_are_frozen: the timeline is only added to');
CREATE TRIGGER entries_are_kept BEFORE DELETE ON ticket_entries FOR EACH ROW
EXECUTE FUNCTION is_refused('entries_are_kept: the timeline is only added to');
CREATE TRIGGER entries_are_not_truncated BEFORE TRUNCATE ON ticket_entries FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('entries_are_kept: the timeline is only added to');

-- A mail stays as it came; what is made of it may change.
CREATE TRIGGER inbound_is_frozen BEFORE UPDATE OF id, digest, raw, via, peer, hello, envelope_from, envelope_to, received_at ON inbound FOR EACH ROW
WHEN ((NEW.id, NEW.digest, NEW.raw, NEW.via, NEW.peer, NEW.hello, NEW.envelope_from, NEW.envelope_to, NEW.received_at)
    IS DISTINCT FROM (OLD.id, OLD.digest, OLD.raw, OLD.via, OLD.peer, OLD.hello, OLD.envelope_from, OLD.envelope_to, OLD.received_at))
EXECUTE FUNCTION is_refused('inbound_is_frozen: a mail stays as it came');
CREATE TRIGGER inbound_is_kept BEFORE DELETE ON inbound FOR EACH ROW
EXECUTE FUNCTION is_refused('inbound_is_kept: a mail that came in is never deleted');
CREATE TRIGGER inbound_is_not_truncated BEFORE TRUNCATE ON inbound FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('inbound_is_kept: a mail that came in is never deleted');

-- What an agent wrote leaves as it was written, or stays as evidence that it did not.
CREATE TRIGGER agents_letters_are_frozen BEFORE UPDATE OF id, incident_id, cause, cause_id, letter_id, ticket_id, tenant_id, address, message_id, created_at ON outbox
FOR EACH ROW WHEN (OLD.cause = 'agent'
    AND (NEW.id, NEW.incident_id, NEW.cause, NEW.cause_id, NEW.letter_id, NEW.ticket_id, NEW.tenant_id, NEW.address, NEW.message_id, NEW.created_at)
    IS DISTINCT FROM (OLD.id, OLD.incident_id, OLD.cause, OLD.cause_id, OLD.letter_id, OLD.ticket_id, OLD.tenant_id, OLD.address, OLD.message_id, OLD.created_at))
EXECUTE FUNCTION is_refused('agents_letters_are_frozen: what an agent wrote, and to whom, never changes');
CREATE TRIGGER agents_letters_are_kept BEFORE DELETE ON outbox FOR EACH ROW WHEN (OLD.cause = 'agent')
EXECUTE FUNCTION is_refused('agents_letters_are_kept: what an agent wrote is never deleted');
CREATE TRIGGER outbox_is_not_truncated BEFORE TRUNCATE ON outbox FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('agents_letters_are_kept: what an agent wrote is never deleted');
CREATE TRIGGER letters_are_not_truncated BEFORE TRUNCATE ON letters FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('letters_are_kept: this letter is approved or written for sending');

-- A ladder keeps what it was started with, and what it fired.
CREATE TRIGGER escalations_are_frozen BEFORE UPDATE OF id, incident_id, policy, subject, snapshot, measured_from, started_at ON escalations FOR EACH ROW
WHEN ((NEW.id, NEW.incident_id, NEW.policy, NEW.subject, NEW.snapshot, NEW.measured_from, NEW.started_at)
    IS DISTINCT FROM (OLD.id, OLD.incident_id, OLD.policy, OLD.subject, OLD.snapshot, OLD.measured_from, OLD.started_at))
EXECUTE FUNCTION is_refused('escalations_are_frozen: a ladder keeps what it was started with');
CREATE TRIGGER escalations_are_kept BEFORE DELETE ON escalations FOR EACH ROW
EXECUTE FUNCTION is_refused('escalations_are_kept: a ladder ends, and is never deleted');
CREATE TRIGGER escalations_are_not_truncated BEFORE TRUNCATE ON escalations FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('escalations_are_kept: a ladder ends, and is never deleted');
CREATE TRIGGER firings_are_frozen BEFORE UPDATE OF id, escalation_id, rung, repeat, due_at, fired_at, target ON firings FOR EACH ROW
WHEN ((NEW.id, NEW.escalation_id, NEW.rung, NEW.repeat, NEW.due_at, NEW.fired_at, NEW.target)
    IS DISTINCT FROM (OLD.id, OLD.escalation_id, OLD.rung, OLD.repeat, OLD.due_at, OLD.fired_at, OLD.target))
EXECUTE FUNCTION is_refused('firings_are_frozen: what a ladder fired never changes');
CREATE TRIGGER firings_are_kept BEFORE DELETE ON firings FOR EACH ROW
EXECUTE FUNCTION is_refused('firings_are_kept: what a ladder fired is never deleted');
CREATE TRIGGER firings_are_not_truncated BEFORE TRUNCATE ON firings FOR EACH STATEMENT
EXECUTE FUNCTION is_refused('firings_are_kept: what a ladder fired is never deleted');

-- In SQLite alone:
-- CREATE TRIGGER tickets_are_added_once
-- CREATE TRIGGER tickets_keep_their_row
-- CREATE TRIGGER questions_are_added_once
-- CREATE TRIGGER questions_keep_their_row
-- CREATE TRIGGER entries_are_added_once
-- CREATE TRIGGER inbound_is_added_once
-- CREATE TRIGGER inbound_keeps_its_row
-- CREATE TRIGGER agents_letters_are_added_once
-- CREATE TRIGGER letters_are_added_once
-- CREATE TRIGGER escalations_are_added_once
