-- Passages of answers, filled with the facts of the organisation that is answered. What was replaced is kept: answers name
-- the snippet they were written from.
CREATE TABLE snippets (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER REFERENCES incidents (id), -- none: of every incident
    name        TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    kept_by     TEXT    NOT NULL,
    kept_at     INTEGER NOT NULL,
    ended_at    INTEGER,
    ended_by    TEXT,
    CONSTRAINT snippet_ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;
-- Two snippets of one name and language would say two things.
CREATE UNIQUE INDEX one_snippet_in_use ON snippets (COALESCE(incident_id, 0), name, language) WHERE ended_at IS NULL;

-- The words of tickets, as they are searched: a row for each timeline entry and question, in the words that
-- `model::search` makes of its text. Made in the transaction that adds the entry or question; those of before are caught up.
CREATE TABLE ticket_words (
    seq       INTEGER PRIMARY KEY NOT NULL,
    source    TEXT    NOT NULL UNIQUE, -- the entry or question
    ticket_id TEXT    NOT NULL REFERENCES tickets (id),
    words     TEXT    NOT NULL
) STRICT;
-- A ticket's words.
CREATE INDEX ticket_words_by_ticket ON ticket_words (ticket_id);
-- PostgreSQL has an INDEX ticket_words_searched instead. Words as they are: letters beyond ASCII are parts of words, and no accent is taken away (`model::search` did all that). Its
-- tables of its own begin with an underscore, like all that is not ours.
CREATE VIRTUAL TABLE _ticket_words USING fts5 (words, content='ticket_words', content_rowid='seq', tokenize='ascii');
CREATE TRIGGER ticket_words_are_indexed AFTER INSERT ON ticket_words
BEGIN INSERT INTO _ticket_words (rowid, words) VALUES (NEW.seq, NEW.words); END;

-- Who is told, by a task, when a person writes to a ticket that is somebody else's to answer.
CREATE TABLE ticket_watchers (
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    watcher   TEXT NOT NULL,
    since     INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, watcher)
) STRICT;
