-- One text for one organisation, in a version.
CREATE TABLE notices (
    id               TEXT    NOT NULL PRIMARY KEY,
    incident_id      INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id        TEXT    NOT NULL REFERENCES tenants (id),
    kind             TEXT    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('initial', 'supplement', 'correction')),
    version          INTEGER NOT NULL,
    state            TEXT    NOT NULL CONSTRAINT known_state CHECK (state IN ('drafted', 'approved', 'released', 'withdrawn')),
    code             TEXT    NOT NULL UNIQUE,
    facts            TEXT    NOT NULL, -- JSON of NoticeContext: every figure the text states
    facts_digest     TEXT    NOT NULL, -- of facts, languages and template version: the same digest needs no new draft
    template_version TEXT    NOT NULL,
    drafted_by       TEXT    NOT NULL,
    drafted_at       INTEGER NOT NULL,
    approved_by      TEXT,
    approved_at      INTEGER,
    approved_digest  TEXT,             -- over all letters and the contacts they go to
    released_at      INTEGER,
    withdrawn_at     INTEGER,
    UNIQUE (incident_id, tenant_id, version),
    CONSTRAINT approved_by_another CHECK (approved_by IS NULL OR approved_by <> drafted_by),
    CONSTRAINT approved_when_released CHECK (state NOT IN ('approved', 'released') OR (approved_by IS NOT NULL AND approved_digest IS NOT NULL)),
    CONSTRAINT released_has_time CHECK (state <> 'released' OR released_at IS NOT NULL)
) STRICT;

-- Two unreleased notices for one organisation would say two things.
CREATE UNIQUE INDEX one_notice_in_preparation ON notices (incident_id, tenant_id) WHERE state IN ('drafted', 'approved');

-- Frozen texts: notices once a language, and every other mail that leaves.
CREATE TABLE letters (
    id         TEXT    NOT NULL PRIMARY KEY,
    notice_id  TEXT    REFERENCES notices (id),
    kind       TEXT    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline', 'escalation')),
    language   TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    html       TEXT,
    digest     TEXT    NOT NULL,
    written_at INTEGER NOT NULL,
    UNIQUE (notice_id, language),
    CONSTRAINT notice_iff_notice_id CHECK ((kind = 'notice') = (notice_id IS NOT NULL))
) STRICT;

-- Approved means frozen, byte for byte.
CREATE TRIGGER letters_are_frozen_when_approved BEFORE UPDATE ON letters
WHEN OLD.notice_id IS NULL OR EXISTS (SELECT 1 FROM notices WHERE id = OLD.notice_id AND state <> 'drafted')
BEGIN SELECT RAISE(ABORT, 'letters_are_frozen: this letter is approved or written for sending; draft a new version instead'); END;
CREATE TRIGGER letters_are_kept_when_approved BEFORE DELETE ON letters
WHEN OLD.notice_id IS NULL OR EXISTS (SELECT 1 FROM notices WHERE id = OLD.notice_id AND state <> 'drafted')
BEGIN SELECT RAISE(ABORT, 'letters_are_kept: this letter is approved or written for sending'); END;
CREATE TRIGGER letters_are_added_to_drafts_only BEFORE INSERT ON letters
WHEN NEW.notice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM notices WHERE id = NEW.notice_id AND state = 'drafted')
BEGIN SELECT RAISE(ABORT, 'letters_are_frozen: only a drafted notice takes letters'); END;
CREATE TRIGGER notices_are_frozen_when_approved BEFORE UPDATE OF facts, facts_digest, code, version, tenant_id, incident_id, approved_by, approved_digest ON notices
WHEN OLD.state <> 'drafted'
BEGIN SELECT RAISE(ABORT, 'notices_are_frozen: this notice is approved; draft a new version instead'); END;
