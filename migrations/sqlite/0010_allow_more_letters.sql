-- no-transaction
-- More kinds of letters: `reach` asks for the right contact and states no facts, `acknowledgement` says that a mail came in.
-- SQLite cannot change a CHECK, so the table is made anew (https://sqlite.org/lang_altertable.html, section 7). Run
-- again after a crash, it makes it anew from what is there.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
CREATE TABLE letters_anew (
    id         TEXT    NOT NULL PRIMARY KEY,
    notice_id  TEXT    REFERENCES notices (id),
    kind       TEXT    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline', 'escalation', 'reach', 'acknowledgement')),
    language   TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    html       TEXT,
    digest     TEXT    NOT NULL,
    written_at INTEGER NOT NULL,
    UNIQUE (notice_id, language),
    CONSTRAINT notice_iff_notice_id CHECK ((kind = 'notice') = (notice_id IS NOT NULL))
) STRICT;
INSERT INTO letters_anew (id, notice_id, kind, language, subject, text, html, digest, written_at)
SELECT id, notice_id, kind, language, subject, text, html, digest, written_at FROM letters;
DROP TABLE letters;
ALTER TABLE letters_anew RENAME TO letters;
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
COMMIT;
PRAGMA foreign_keys = ON;
