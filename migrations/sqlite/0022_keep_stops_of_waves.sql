-- Why a stop rule paused a wave; none = no rule did. Only a person lets it go on, with a reason.
ALTER TABLE waves ADD COLUMN stopped_why TEXT CONSTRAINT stopped_is_paused CHECK (stopped_why IS NULL OR paused_at IS NOT NULL);
-- Stop rules count what happened from then on (the store's clock): a person who lets a wave go on has seen the rest.
ALTER TABLE waves ADD COLUMN counted_from INTEGER NOT NULL DEFAULT 0;
-- 0: a large wave that was released where mail stays on the host, by a sending domain that is not in order. A sender whose
-- mail goes further looks again before it begins.
ALTER TABLE waves ADD COLUMN domain_checked INTEGER NOT NULL DEFAULT 1 CONSTRAINT domain_checked_is_a_flag CHECK (domain_checked IN (0, 1));

-- Stop rules ask twice a second what came back of a wave, which is little.
CREATE INDEX outbox_came_back ON outbox (wave_id, settled_at) WHERE state IN ('bounced', 'failed');
-- And who complained.
CREATE INDEX inbound_complaints ON inbound (received_at) WHERE class = 'complaint';
