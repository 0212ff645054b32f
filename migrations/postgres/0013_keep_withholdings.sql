-- Signed decisions not to tell a fact: which, to whom, why, by two people, and when it is looked at again. One that ended
-- is kept.
CREATE TABLE withholdings (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT COLLATE "C"    REFERENCES tenants (id), -- none: every organisation
    fact        TEXT COLLATE "C"    NOT NULL,                -- a name of model::withholding, with DOMAIN/ in front for one domain
    why         TEXT COLLATE "C"    NOT NULL,                -- printed in the notice
    review_at   BIGINT NOT NULL,
    proposed_by TEXT COLLATE "C"    NOT NULL,
    proposed_at BIGINT NOT NULL,
    approved_by TEXT COLLATE "C",
    approved_at BIGINT,
    ended_by    TEXT COLLATE "C",
    ended_at    BIGINT,
    ended_why   TEXT COLLATE "C",
    CONSTRAINT withheld_by_two CHECK (approved_by IS NULL OR approved_by <> proposed_by),
    CONSTRAINT withheld_iff_time CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT ended_iff_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
-- Notices are written tenant by tenant.
CREATE INDEX withholdings_by_incident ON withholdings (incident_id, tenant_id);
-- The tick asks whose review is due.
CREATE INDEX withholdings_review ON withholdings (review_at) WHERE approved_at IS NOT NULL AND ended_at IS NULL;
