-- A conversation can be split, and parts of it merged again: one main ticket for each organisation and incident, others
-- beside it.
ALTER TABLE tickets DROP CONSTRAINT tickets_incident_id_tenant_id_key;
ALTER TABLE tickets ADD COLUMN split_from TEXT COLLATE "C" REFERENCES tickets (id); -- none: the main ticket
ALTER TABLE tickets ADD COLUMN merged_into TEXT COLLATE "C" REFERENCES tickets (id); -- where its questions went, and where its mail lands
ALTER TABLE tickets ADD CONSTRAINT merged_is_closed CHECK (merged_into IS NULL OR (status = 'closed' AND split_from IS NOT NULL));
-- One main ticket for each organisation and incident.
CREATE UNIQUE INDEX one_main_ticket ON tickets (incident_id, tenant_id) WHERE split_from IS NULL;
-- All parts of a conversation.
CREATE INDEX tickets_by_tenant ON tickets (incident_id, tenant_id);

-- A part is of the same organisation and incident, and nothing is merged into what is merged itself.
CREATE FUNCTION tickets_split_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.split_from IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM tickets t WHERE t.id = NEW.split_from AND t.incident_id = NEW.incident_id AND t.tenant_id = NEW.tenant_id) THEN
        RAISE EXCEPTION 'tickets_split_within: a ticket is split within its organisation and incident' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER tickets_split_within BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_split_within();
CREATE FUNCTION tickets_merge_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.incident_id <> OLD.incident_id OR NEW.tenant_id <> OLD.tenant_id OR (NEW.merged_into IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM tickets t
            WHERE t.id = NEW.merged_into AND t.id <> NEW.id AND t.merged_into IS NULL AND t.incident_id = NEW.incident_id AND t.tenant_id = NEW.tenant_id)) THEN
        RAISE EXCEPTION 'tickets_merge_within: a ticket is merged within its organisation and incident, for ever' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER tickets_merge_within BEFORE UPDATE OF merged_into, incident_id, tenant_id ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_merge_within();

-- A question moves within its organisation and incident only, and counts where it is.
CREATE OR REPLACE FUNCTION questions_stay_with_their_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ticket_id <> OLD.ticket_id AND NOT EXISTS (
            SELECT 1 FROM tickets a JOIN tickets b ON b.incident_id = a.incident_id AND b.tenant_id = a.tenant_id
            WHERE a.id = OLD.ticket_id AND b.id = NEW.ticket_id AND b.merged_into IS NULL) THEN
        RAISE EXCEPTION 'questions_stay: a question never moves to another organisation or incident' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE FUNCTION questions_count_where_they_are() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM tickets WHERE id IN (OLD.ticket_id, NEW.ticket_id) ORDER BY id FOR UPDATE;
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = OLD.ticket_id AND state IN ('open', 'promised'))
    WHERE id = OLD.ticket_id AND OLD.ticket_id <> NEW.ticket_id;
    UPDATE tickets
    SET debt = (SELECT COUNT(*) FROM questions WHERE ticket_id = NEW.ticket_id AND state IN ('open', 'promised')),
        status = CASE WHEN NEW.state IN ('open', 'promised') THEN 'open' ELSE status END,
        closed_at = CASE WHEN NEW.state IN ('open', 'promised') THEN NULL ELSE closed_at END
    WHERE id = NEW.ticket_id;
    RETURN NULL;
END;
$$;
DROP TRIGGER questions_count_when_changed ON questions;
CREATE TRIGGER questions_count_when_changed AFTER UPDATE OF state, ticket_id ON questions FOR EACH ROW EXECUTE FUNCTION questions_count_where_they_are();
