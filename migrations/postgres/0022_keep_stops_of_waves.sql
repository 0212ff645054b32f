-- Why a stop rule paused a wave; none = no rule did. Only a person lets it go on, with a reason.
ALTER TABLE waves ADD COLUMN stopped_why TEXT COLLATE "C" CONSTRAINT stopped_is_paused CHECK (stopped_why IS NULL OR paused_at IS NOT NULL);
-- Stop rules count what happened from then on (the store's clock): a person who lets a wave go on has seen the rest.
ALTER TABLE waves ADD COLUMN counted_from BIGINT NOT NULL DEFAULT 0;

-- Stop rules ask twice a second what came back of a wave, which is little.
CREATE INDEX outbox_came_back ON outbox (wave_id, settled_at) WHERE state IN ('bounced', 'failed');
-- And who complained.
CREATE INDEX inbound_complaints ON inbound (received_at) WHERE class = 'complaint';
