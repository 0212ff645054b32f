-- Which organisation a host belongs to, as of a version of the directory. Recomputed, never edited.
CREATE TABLE mappings (
    host_id             INTEGER NOT NULL PRIMARY KEY REFERENCES hosts (id),
    incident_id         INTEGER NOT NULL REFERENCES incidents (id),
    verdict             TEXT    NOT NULL CONSTRAINT known_verdict CHECK (verdict IN ('mapped', 'unmapped', 'shared', 'conflict')),
    rule                TEXT    NOT NULL CONSTRAINT known_rule CHECK (rule IN ('exact', 'parent', 'alias', 'manual', 'public-suffix', 'shared-list')),
    organisation_domain TEXT    NOT NULL,
    tenant_id           TEXT    REFERENCES tenants (id),
    confidence          TEXT    NOT NULL CONSTRAINT known_confidence CHECK (confidence IN ('high', 'medium', 'low')),
    because             TEXT    NOT NULL,
    directory_version   INTEGER NOT NULL,
    mapped_at           INTEGER NOT NULL,
    CONSTRAINT tenant_iff_mapped CHECK ((tenant_id IS NOT NULL) = (verdict = 'mapped'))
) STRICT;

-- Facts and coverage are grouped by organisation domain and tenant.
CREATE INDEX mappings_by_organisation ON mappings (incident_id, organisation_domain);
CREATE INDEX mappings_by_tenant ON mappings (incident_id, tenant_id);
-- The mapping step looks for verdicts older than the directory.
CREATE INDEX mappings_by_version ON mappings (incident_id, directory_version);

-- A person's decision on one domain in one incident: it is this tenant's, or it is not.
CREATE TABLE mapping_decisions (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    domain      TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    decision    TEXT    NOT NULL CONSTRAINT known_decision CHECK (decision IN ('assigned', 'rejected')),
    why         TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    decided_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    lapsed_at  INTEGER, -- set by the sweep once expires_at has passed; the entry then counts no more
    PRIMARY KEY (incident_id, domain, tenant_id)
) STRICT;
