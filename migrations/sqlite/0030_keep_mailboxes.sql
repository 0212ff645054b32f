-- Mailboxes that mail is taken from by IMAP, by user, host and folder: how far they were read, and whether they can be reached.
CREATE TABLE mailboxes (
    place         TEXT    NOT NULL PRIMARY KEY,
    uid_validity  INTEGER,                    -- what its UIDs are counted under; none = it was never opened
    settled_to    INTEGER NOT NULL DEFAULT 0, -- nothing is left to do about this UID and those before it
    reached_at    INTEGER,
    failing_since INTEGER,
    fault         TEXT,
    hint          TEXT,
    CONSTRAINT failing_iff_fault CHECK ((failing_since IS NULL) = (fault IS NULL) AND (fault IS NULL) = (hint IS NULL))
) STRICT;

-- What became of each mail of a mailbox. A try is counted before it is begun; a mail is taken away only once it is kept.
CREATE TABLE mailbox_mails (
    place        TEXT    NOT NULL REFERENCES mailboxes (place),
    uid_validity INTEGER NOT NULL,
    uid          INTEGER NOT NULL,
    state        TEXT    NOT NULL CONSTRAINT known_state CHECK (state IN ('begun', 'kept', 'done', 'refused')),
    tries        INTEGER NOT NULL,
    inbound_id   TEXT    REFERENCES inbound (id),
    why          TEXT,
    at           INTEGER NOT NULL,
    PRIMARY KEY (place, uid_validity, uid),
    CONSTRAINT kept_names_its_mail CHECK ((state IN ('kept', 'done')) = (inbound_id IS NOT NULL)),
    CONSTRAINT refused_has_a_reason CHECK ((state = 'refused') = (why IS NOT NULL))
) STRICT;
-- A person has to look at these.
CREATE INDEX mailbox_mails_refused ON mailbox_mails (place, at) WHERE state = 'refused';
