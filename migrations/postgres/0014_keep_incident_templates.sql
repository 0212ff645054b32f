-- Templates that somebody wrote for one incident in place of the built-in ones. What was replaced is kept: notices name
-- the versions they were written from.
CREATE TABLE incident_templates (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    kind        TEXT COLLATE "C"    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline')),
    language    TEXT COLLATE "C"    NOT NULL,
    version     TEXT COLLATE "C"    NOT NULL, -- the beginning of a digest over the three parts
    subject     TEXT COLLATE "C"    NOT NULL,
    text        TEXT COLLATE "C"    NOT NULL,
    html        TEXT COLLATE "C",             -- notices alone have one
    why         TEXT COLLATE "C"    NOT NULL,
    kept_by     TEXT COLLATE "C"    NOT NULL,
    kept_at     BIGINT NOT NULL, -- microseconds, as all times here
    ended_at    BIGINT,          -- when another one took its place, or the built-in one again
    ended_by    TEXT COLLATE "C",
    CONSTRAINT html_iff_notice CHECK ((kind = 'notice') = (html IS NOT NULL)),
    CONSTRAINT ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

-- Two templates for one letter would say two things.
CREATE UNIQUE INDEX one_template_in_use ON incident_templates (incident_id, kind, language) WHERE ended_at IS NULL;

-- A version names the same words for ever.
CREATE FUNCTION templates_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'templates_are_frozen: keep another version instead' USING ERRCODE = 'check_violation';
END;
$$;
CREATE TRIGGER templates_are_frozen BEFORE UPDATE OF incident_id, kind, language, version, subject, text, html ON incident_templates FOR EACH ROW EXECUTE FUNCTION templates_are_frozen();
CREATE FUNCTION templates_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'templates_are_kept: notices name the versions they were written from' USING ERRCODE = 'check_violation';
END;
$$;
CREATE TRIGGER templates_are_kept BEFORE DELETE ON incident_templates FOR EACH ROW EXECUTE FUNCTION templates_are_kept();
