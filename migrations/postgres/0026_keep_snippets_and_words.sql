-- Passages of answers, filled with the facts of the organisation that is answered. What was replaced is kept: answers name
-- the snippet they were written from.
CREATE TABLE snippets (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    incident_id BIGINT REFERENCES incidents (id), -- none: of every incident
    name        TEXT COLLATE "C" NOT NULL,
    language    TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    kept_by     TEXT COLLATE "C" NOT NULL,
    kept_at     BIGINT NOT NULL,
    ended_at    BIGINT,
    ended_by    TEXT COLLATE "C",
    CONSTRAINT snippet_ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
-- Two snippets of one name and language would say two things.
CREATE UNIQUE INDEX one_snippet_in_use ON snippets (COALESCE(incident_id, 0), name, language) WHERE ended_at IS NULL;

-- The words of tickets, as they are searched: a row for each timeline entry and question, in the words that
-- `model::search` makes of its text. Made in the transaction that adds the entry or question; those of before are caught up.
CREATE TABLE ticket_words (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    TEXT COLLATE "C" NOT NULL UNIQUE, -- the entry or question
    ticket_id TEXT COLLATE "C" NOT NULL REFERENCES tickets (id),
    words     TEXT COLLATE "C" NOT NULL
);
-- A ticket's words.
CREATE INDEX ticket_words_by_ticket ON ticket_words (ticket_id);
-- Words as they are: no parser and no dictionary. SQLite has a table of its own for it, kept by
-- CREATE TRIGGER ticket_words_are_indexed there.
CREATE INDEX ticket_words_searched ON ticket_words USING GIN (array_to_tsvector(string_to_array(words, ' ')));

-- Who is told, by a task, when a person writes to a ticket that is somebody else's to answer.
CREATE TABLE ticket_watchers (
    ticket_id TEXT COLLATE "C" NOT NULL REFERENCES tickets (id),
    watcher   TEXT COLLATE "C" NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, watcher)
);
