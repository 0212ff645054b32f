-- The day (since 1970, UTC) on which the start counts that the holder of this lease was given; a mail of a wave without limits has none.
ALTER TABLE outbox ADD COLUMN start_day INTEGER;

-- A lease that ends without a try gives its start back to its day, whoever ends it: the sender, its farewell, or whoever finds it gone.
CREATE TRIGGER starts_come_back_with_leases AFTER UPDATE OF lease ON outbox
WHEN OLD.start_day IS NOT NULL AND OLD.lease IS NOT NULL AND NEW.lease IS NULL AND NEW.attempts = OLD.attempts
BEGIN
    UPDATE starts SET day_count = day_count - 1
    WHERE wave_id = COALESCE(OLD.wave_id, OLD.under_wave) AND system = '' AND day = OLD.start_day AND day_count > 0;
END;

-- 1: the mail says that its reader takes a mail of ours for abuse, and returns that mail with its token and Message-ID. What stop rules count.
ALTER TABLE inbound ADD COLUMN complains INTEGER NOT NULL DEFAULT 0;
UPDATE inbound SET complains = 1 WHERE class = 'complaint' AND outbox_id IS NOT NULL;
