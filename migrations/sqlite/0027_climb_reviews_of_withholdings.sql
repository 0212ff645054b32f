-- When the ladder of an overdue review is climbed next: 0 = at the review, later = its next rung, the largest number = it
-- is climbed to its end. Which rungs fired is in the keys of tasks.
ALTER TABLE withholdings ADD COLUMN climb_at INTEGER NOT NULL DEFAULT 0;
