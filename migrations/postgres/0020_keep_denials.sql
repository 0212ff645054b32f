-- Somebody at a tenant said that a notice is not for their organisation at all: what is mapped to it by itself waits from
-- then on, and no incident's mail goes to whoever said so, until a person settles it.
CREATE TABLE denials (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id BIGINT  NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    address     TEXT COLLATE "C" NOT NULL, -- to whom the notice went who said so; empty: not known
    why         TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    said_at     BIGINT  NOT NULL,
    settled_at  BIGINT,
    settled_by  TEXT COLLATE "C",
    settled_why TEXT COLLATE "C",
    CONSTRAINT denial_settled_iff_by CHECK ((settled_at IS NULL) = (settled_by IS NULL)),
    CONSTRAINT denial_settled_iff_why CHECK ((settled_at IS NULL) = (settled_why IS NULL))
);
-- Said twice is said once; verdicts ask whose tenant denied.
CREATE UNIQUE INDEX denials_open ON denials (incident_id, tenant_id, address) WHERE settled_at IS NULL;
-- The claim asks whether an address denied, in any incident.
CREATE INDEX denials_by_address ON denials (address) WHERE settled_at IS NULL;

-- Verdicts on other names follow the domain that they stand for.
CREATE INDEX domains_aliases ON domains (alias_of) WHERE alias_of IS NOT NULL;

-- A ticket is not closed over an agent's letter that does not leave by itself: it was tried in vain, or is held because
-- somebody said that the notice is not theirs. Whoever makes outbox, contacts or mapping_decisions anew makes this anew.
CREATE FUNCTION tickets_close_when_answers_leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'closed' AND OLD.status <> 'closed' AND EXISTS (
            SELECT 1 FROM outbox o
            WHERE o.ticket_id = NEW.id AND o.cause = 'agent' AND (o.state IN ('deferred', 'uncertain') OR (o.state = 'queued' AND (
                EXISTS (SELECT 1 FROM mapping_decisions d
                    WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id AND d.decision = 'disputed' AND d.lapsed_at IS NULL)
                OR EXISTS (SELECT 1 FROM denials y
                    WHERE y.address = o.address AND y.settled_at IS NULL
                        AND (y.incident_id <> o.incident_id OR y.tenant_id <> o.tenant_id OR o.notice_id IS NOT NULL)
                        AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = o.contact_id
                            AND (c.disabled_at IS NOT NULL OR c.left_at IS NOT NULL OR c.merged_into IS NOT NULL))))))) THEN
        RAISE EXCEPTION 'answers_leave_first: a letter of this ticket is held or was tried in vain' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER tickets_close_when_answers_leave BEFORE UPDATE OF status ON tickets FOR EACH ROW EXECUTE FUNCTION tickets_close_when_answers_leave();
