-- An answer is held against the names of other organisations: each run of its words is looked up.
CREATE INDEX tenants_by_name ON tenants (LOWER(name));

-- Who said first that a question was taken back, and the mail in which its asker says so: a second person or the mail is
-- what ends it.
ALTER TABLE questions ADD COLUMN withdrawal_by TEXT COLLATE "C";
ALTER TABLE questions ADD COLUMN withdrawal_mail TEXT COLLATE "C" REFERENCES inbound (id);
CREATE FUNCTION questions_are_withdrawn_with_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
            SELECT 1 FROM ticket_entries e
            WHERE e.id = NEW.entry_id AND e.ticket_id = NEW.ticket_id AND e.kind = 'withdrawal' AND (
                LOWER(REPLACE(e.actor, ' ', '')) <> LOWER(REPLACE(NEW.withdrawal_by, ' ', ''))
                OR EXISTS (SELECT 1 FROM inbound i WHERE i.id = NEW.withdrawal_mail AND i.class = 'human' AND i.received_at > NEW.asked_at))) THEN
        RAISE EXCEPTION 'questions_are_withdrawn_with_evidence: a mail of the asker or a second person says that a question was taken back' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER questions_are_withdrawn_with_evidence BEFORE UPDATE OF state, entry_id ON questions FOR EACH ROW WHEN (NEW.state = 'withdrawn')
EXECUTE FUNCTION questions_are_withdrawn_with_evidence();
