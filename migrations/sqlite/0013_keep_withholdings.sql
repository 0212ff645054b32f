-- Signed decisions not to tell a fact: which, to whom, why, by two people, and when it is looked at again. One that ended
-- is kept.
CREATE TABLE withholdings (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT    REFERENCES tenants (id), -- none: every organisation
    fact        TEXT    NOT NULL,                -- a name of model::withholding, with DOMAIN/ in front for one domain
    why         TEXT    NOT NULL,                -- printed in the notice
    review_at   INTEGER NOT NULL,
    proposed_by TEXT    NOT NULL,
    proposed_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    ended_by    TEXT,
    ended_at    INTEGER,
    ended_why   TEXT,
    CONSTRAINT withheld_by_two CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CONSTRAINT withheld_iff_time CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT ended_iff_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL))
) STRICT;
-- Notices are written tenant by tenant.
CREATE INDEX withholdings_by_incident ON withholdings (incident_id, tenant_id);
-- The tick asks whose review is due.
CREATE INDEX withholdings_review ON withholdings (review_at) WHERE approved_at IS NOT NULL AND ended_at IS NULL;
