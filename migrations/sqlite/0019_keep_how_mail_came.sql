-- How a mail came, what a program may do with it, and which mail it repeats.
ALTER TABLE inbound ADD COLUMN via TEXT NOT NULL DEFAULT 'pipe' CONSTRAINT known_via CHECK (via IN ('pipe', 'smtp', 'lmtp', 'imap'));
-- Who was connected, and what they called themselves; only of our own SMTP port, where SPF may ask.
ALTER TABLE inbound ADD COLUMN peer TEXT;
ALTER TABLE inbound ADD COLUMN hello TEXT;
-- Whether its words are hidden from us.
ALTER TABLE inbound ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0 CONSTRAINT encrypted_is_a_flag CHECK (encrypted IN (0, 1));
-- Whether a program may answer it (RFC 3834).
ALTER TABLE inbound ADD COLUMN may_answer INTEGER NOT NULL DEFAULT 0 CONSTRAINT may_answer_is_a_flag CHECK (may_answer IN (0, 1));
-- Over what its sender made of it, without what was added on the way.
ALTER TABLE inbound ADD COLUMN content_digest TEXT;
-- The mail that it repeats; then it changes nothing.
ALTER TABLE inbound ADD COLUMN duplicate_of TEXT;
-- Real time from which its sender is to be proven; none = nothing is left to ask. And how often nobody could say.
ALTER TABLE inbound ADD COLUMN check_at INTEGER;
ALTER TABLE inbound ADD COLUMN check_tries INTEGER NOT NULL DEFAULT 0;

-- The sweep looks for mail whose sender is to be proven.
CREATE INDEX inbound_to_check ON inbound (check_at) WHERE check_at IS NOT NULL;
-- Filing asks whether a mail came before.
CREATE INDEX inbound_by_content ON inbound (content_digest) WHERE content_digest IS NOT NULL;

-- Automatic answers to mail that came in: at most one a mail, and what limits them is counted here.
CREATE TABLE acknowledgements (
    inbound_id TEXT    NOT NULL PRIMARY KEY REFERENCES inbound (id),
    ticket_id  TEXT    NOT NULL REFERENCES tickets (id),
    address    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    outbox_id  TEXT    NOT NULL REFERENCES outbox (id)
) STRICT;
-- The limiter asks how many there were lately: of a conversation, of an address, of all.
CREATE INDEX acknowledgements_by_ticket ON acknowledgements (ticket_id, at);
CREATE INDEX acknowledgements_by_address ON acknowledgements (address, at);
CREATE INDEX acknowledgements_by_time ON acknowledgements (at);
