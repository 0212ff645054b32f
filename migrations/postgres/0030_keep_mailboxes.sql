-- Mailboxes that mail is taken from by IMAP, by user, host and folder: how far they were read, and whether they can be reached.
CREATE TABLE mailboxes (
    place         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    uid_validity  BIGINT,                    -- what its UIDs are counted under; none = it was never opened
    settled_to    BIGINT NOT NULL DEFAULT 0, -- nothing is left to do about this UID and those before it
    reached_at    BIGINT,
    failing_since BIGINT,
    fault         TEXT COLLATE "C",
    hint          TEXT COLLATE "C",
    CONSTRAINT failing_iff_fault CHECK ((failing_since IS NULL) = (fault IS NULL) AND (fault IS NULL) = (hint IS NULL))
);

-- What became of each mail of a mailbox. A try is counted before it is begun; a mail is taken away only once it is kept.
CREATE TABLE mailbox_mails (
    place        TEXT COLLATE "C" NOT NULL REFERENCES mailboxes (place),
    uid_validity BIGINT NOT NULL,
    uid          BIGINT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL CONSTRAINT known_state CHECK (state IN ('begun', 'kept', 'done', 'refused')),
    tries        BIGINT NOT NULL,
    inbound_id   TEXT COLLATE "C" REFERENCES inbound (id),
    why          TEXT COLLATE "C",
    at           BIGINT NOT NULL,
    PRIMARY KEY (place, uid_validity, uid),
    CONSTRAINT kept_names_its_mail CHECK ((state IN ('kept', 'done')) = (inbound_id IS NOT NULL)),
    CONSTRAINT refused_has_a_reason CHECK ((state = 'refused') = (why IS NOT NULL))
);
-- A person has to look at these.
CREATE INDEX mailbox_mails_refused ON mailbox_mails (place, at) WHERE state = 'refused';
