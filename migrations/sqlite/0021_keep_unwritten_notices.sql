-- Organisations whose notice could not be written when drafting was last done: each has no letter, or one that is old.
CREATE TABLE unwritten_notices (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    why         TEXT    NOT NULL,
    next_step   TEXT    NOT NULL,
    noted_at    INTEGER NOT NULL, -- microseconds since the epoch
    PRIMARY KEY (incident_id, tenant_id)
) STRICT;
