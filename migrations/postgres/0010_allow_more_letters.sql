-- More kinds of letters: `reach` asks for the right contact and states no facts, `acknowledgement` says that a mail came in.
ALTER TABLE letters DROP CONSTRAINT known_kind;
ALTER TABLE letters ADD CONSTRAINT known_kind CHECK (kind IN ('notice', 'reminder', 'answer', 'promise', 'decline', 'escalation', 'reach', 'acknowledgement'));
