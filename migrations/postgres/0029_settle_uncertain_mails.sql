-- What a person, or the log of a relay, says of a try of which nobody knew how it ended. Only added to.
CREATE TABLE settlements (
    outbox_id  TEXT COLLATE "C" NOT NULL REFERENCES outbox (id),
    attempt    BIGINT           NOT NULL, -- the last try that was uncertain
    said       TEXT COLLATE "C" NOT NULL CONSTRAINT known_settlement CHECK (said IN ('accepted', 'not_accepted', 'bounced')),
    settled_by TEXT COLLATE "C" NOT NULL,
    settled_at BIGINT           NOT NULL,
    why        TEXT COLLATE "C" NOT NULL, -- a reason, or the line of the log
    PRIMARY KEY (outbox_id, attempt)
);

-- A notice that a policy sends to the next contact obeys the wave that released it: its pauses, stops, limits and checks.
-- None where a wave sends it itself (`wave_id`), or no wave released it.
ALTER TABLE outbox ADD COLUMN under_wave TEXT COLLATE "C" REFERENCES waves (id);
-- A wave's mails to further contacts are few, and are counted with its own.
CREATE INDEX outbox_under_wave ON outbox (under_wave, state, settled_at) WHERE under_wave IS NOT NULL;

-- 1: a pilot. So few that its stop rules count from the second mail that came back.
ALTER TABLE waves ADD COLUMN is_pilot BIGINT NOT NULL DEFAULT 0 CONSTRAINT is_pilot_is_a_flag CHECK (is_pilot IN (0, 1));

-- Stop rules ask twice a second what was put off more than once, and look for words about spam in it.
CREATE INDEX outbox_put_off ON outbox (wave_id) WHERE state = 'deferred' AND attempts > 1;
-- Lists of what nobody knows the end of are short.
CREATE INDEX outbox_uncertain ON outbox (incident_id, id) WHERE state = 'uncertain';
