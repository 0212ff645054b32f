-- What a notice says, by content element: for each language the elements its letter has blocks for, and whether they are
-- filled. Noted when the letters are written; none: the notice is older than this column.
ALTER TABLE notices ADD COLUMN elements TEXT;

-- Approved means frozen, what was noted of the texts too.
CREATE TRIGGER notice_elements_are_frozen_when_approved BEFORE UPDATE OF elements ON notices FOR EACH ROW EXECUTE FUNCTION notices_are_frozen_when_approved();
