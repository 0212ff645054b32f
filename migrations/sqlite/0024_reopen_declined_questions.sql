-- When a declined question was opened again, and when its asker last objected; what had been decided is in the timeline.
ALTER TABLE questions ADD COLUMN reopened_at INTEGER;
ALTER TABLE questions ADD COLUMN objected_at INTEGER;
-- The tick looks for declined questions whose review is due.
CREATE INDEX questions_to_review ON questions (review_at) WHERE state = 'declined';
-- The tick looks for questions whose askers object.
CREATE INDEX questions_objected ON questions (objected_at) WHERE objected_at IS NOT NULL;
