-- By which way out a try went, without user and password. Empty: of before this was kept, or none was chosen.
ALTER TABLE attempts ADD COLUMN route TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Since when a sender holds a mail (real time): one that lost track of it is found by that.
ALTER TABLE outbox ADD COLUMN leased_at BIGINT;

-- The tick asks for each ticket whether it has a ladder of a policy, ended ones too. Without this each question read all
-- ladders, and a tick over 10,000 tickets held the writer for seconds.
CREATE INDEX escalations_by_ticket ON escalations (ticket_id, policy);
-- The tick asks which tickets had a notice come back, which few have.
CREATE INDEX outbox_returned ON outbox (ticket_id) WHERE state IN ('bounced', 'failed', 'suppressed');
