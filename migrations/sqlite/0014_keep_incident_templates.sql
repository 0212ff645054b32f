-- Templates that somebody wrote for one incident in place of the built-in ones. What was replaced is kept: notices name
-- the versions they were written from.
CREATE TABLE incident_templates (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    kind        TEXT    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline')),
    language    TEXT    NOT NULL,
    version     TEXT    NOT NULL, -- the beginning of a digest over the three parts
    subject     TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    html        TEXT,             -- notices alone have one
    why         TEXT    NOT NULL,
    kept_by     TEXT    NOT NULL,
    kept_at     INTEGER NOT NULL, -- microseconds, as all times here
    ended_at    INTEGER,          -- when another one took its place, or the built-in one again
    ended_by    TEXT,
    CONSTRAINT html_iff_notice CHECK ((kind = 'notice') = (html IS NOT NULL)),
    CONSTRAINT ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;

-- Two templates for one letter would say two things.
CREATE UNIQUE INDEX one_template_in_use ON incident_templates (incident_id, kind, language) WHERE ended_at IS NULL;

-- A version names the same words for ever.
CREATE TRIGGER templates_are_frozen BEFORE UPDATE OF incident_id, kind, language, version, subject, text, html ON incident_templates
BEGIN SELECT RAISE(ABORT, 'templates_are_frozen: keep another version instead'); END;
CREATE TRIGGER templates_are_kept BEFORE DELETE ON incident_templates
BEGIN SELECT RAISE(ABORT, 'templates_are_kept: notices name the versions they were written from'); END;
