-- Whom a notice could be sent to when it was approved, as JSON: role, address, name and language of each contact in the
-- order of the ladder. Part of what approved_digest is over; kept so that a refusal can say what changed. None: nobody
-- approved it, or an older program did, whose approval ends with the next draft.
ALTER TABLE notices ADD COLUMN approved_ladder TEXT;

-- Approved means frozen, whom it was approved for too.
CREATE TRIGGER notice_ladders_are_frozen_when_approved BEFORE UPDATE OF approved_ladder ON notices FOR EACH ROW EXECUTE FUNCTION notices_are_frozen_when_approved();
