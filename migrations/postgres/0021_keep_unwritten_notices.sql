-- Organisations whose notice could not be written when drafting was last done: each has no letter, or one that is old.
CREATE TABLE unwritten_notices (
    incident_id BIGINT           NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    why         TEXT COLLATE "C" NOT NULL,
    next_step   TEXT COLLATE "C" NOT NULL,
    noted_at    BIGINT           NOT NULL, -- microseconds since the epoch
    PRIMARY KEY (incident_id, tenant_id)
);
