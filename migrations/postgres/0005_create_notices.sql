-- One text for one organisation, in a version.
CREATE TABLE notices (
    id               TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id      BIGINT  NOT NULL REFERENCES incidents (id),
    tenant_id        TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    kind             TEXT COLLATE "C"    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('initial', 'supplement', 'correction')),
    version          BIGINT  NOT NULL,
    state            TEXT COLLATE "C"    NOT NULL CONSTRAINT known_state CHECK (state IN ('drafted', 'approved', 'released', 'withdrawn')),
    code             TEXT COLLATE "C"    NOT NULL UNIQUE,
    facts            TEXT COLLATE "C"    NOT NULL, -- JSON of NoticeContext: every figure the text states
    facts_digest     TEXT COLLATE "C"    NOT NULL, -- of facts, languages and template version: the same digest needs no new draft
    template_version TEXT COLLATE "C"    NOT NULL,
    drafted_by       TEXT COLLATE "C"    NOT NULL,
    drafted_at       BIGINT  NOT NULL,
    approved_by      TEXT COLLATE "C",
    approved_at      BIGINT ,
    approved_digest  TEXT COLLATE "C",             -- over all letters and the contacts they go to
    released_at      BIGINT ,
    withdrawn_at     BIGINT ,
    UNIQUE (incident_id, tenant_id, version),
    CONSTRAINT approved_by_another CHECK (approved_by IS NULL OR approved_by <> drafted_by),
    CONSTRAINT approved_when_released CHECK (state NOT IN ('approved', 'released') OR (approved_by IS NOT NULL AND approved_digest IS NOT NULL)),
    CONSTRAINT released_has_time CHECK (state <> 'released' OR released_at IS NOT NULL)
);

-- Two unreleased notices for one organisation would say two things.
CREATE UNIQUE INDEX one_notice_in_preparation ON notices (incident_id, tenant_id) WHERE state IN ('drafted', 'approved');

-- Frozen texts: notices once a language, and every other mail that leaves.
CREATE TABLE letters (
    id         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    notice_id  TEXT COLLATE "C"    REFERENCES notices (id),
    kind       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline', 'escalation')),
    language   TEXT COLLATE "C"    NOT NULL,
    subject    TEXT COLLATE "C"    NOT NULL,
    text       TEXT COLLATE "C"    NOT NULL,
    html       TEXT COLLATE "C",
    digest     TEXT COLLATE "C"    NOT NULL,
    written_at BIGINT  NOT NULL,
    UNIQUE (notice_id, language),
    CONSTRAINT notice_iff_notice_id CHECK ((kind = 'notice') = (notice_id IS NOT NULL))
);

-- Approved means frozen, byte for byte.
CREATE FUNCTION letters_are_frozen_when_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.notice_id IS NULL OR EXISTS (SELECT 1 FROM notices WHERE id = OLD.notice_id AND state <> 'drafted') THEN
        RAISE EXCEPTION 'letters_are_frozen: this letter is approved or written for sending; draft a new version instead' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER letters_are_frozen_when_approved BEFORE UPDATE ON letters FOR EACH ROW EXECUTE FUNCTION letters_are_frozen_when_approved();
CREATE FUNCTION letters_are_kept_when_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.notice_id IS NULL OR EXISTS (SELECT 1 FROM notices WHERE id = OLD.notice_id AND state <> 'drafted') THEN
        RAISE EXCEPTION 'letters_are_kept: this letter is approved or written for sending' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END;
$$;
CREATE TRIGGER letters_are_kept_when_approved BEFORE DELETE ON letters FOR EACH ROW EXECUTE FUNCTION letters_are_kept_when_approved();
CREATE FUNCTION letters_are_added_to_drafts_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.notice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notices WHERE id = NEW.notice_id AND state = 'drafted') THEN
        RAISE EXCEPTION 'letters_are_frozen: only a drafted notice takes letters' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER letters_are_added_to_drafts_only BEFORE INSERT ON letters FOR EACH ROW EXECUTE FUNCTION letters_are_added_to_drafts_only();
CREATE FUNCTION notices_are_frozen_when_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'drafted' THEN
        RAISE EXCEPTION 'notices_are_frozen: this notice is approved; draft a new version instead' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER notices_are_frozen_when_approved BEFORE UPDATE OF facts, facts_digest, code, version, tenant_id, incident_id, approved_by, approved_digest ON notices FOR EACH ROW EXECUTE FUNCTION notices_are_frozen_when_approved();
