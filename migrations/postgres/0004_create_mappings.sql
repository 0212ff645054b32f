-- Which organisation a host belongs to, as of a version of the directory. Recomputed, never edited.
CREATE TABLE mappings (
    host_id             BIGINT  NOT NULL PRIMARY KEY REFERENCES hosts (id),
    incident_id         BIGINT  NOT NULL REFERENCES incidents (id),
    verdict             TEXT COLLATE "C"    NOT NULL CONSTRAINT known_verdict CHECK (verdict IN ('mapped', 'unmapped', 'shared', 'conflict')),
    rule                TEXT COLLATE "C"    NOT NULL CONSTRAINT known_rule CHECK (rule IN ('exact', 'parent', 'alias', 'manual', 'public-suffix', 'shared-list')),
    organisation_domain TEXT COLLATE "C"    NOT NULL,
    tenant_id           TEXT COLLATE "C"    REFERENCES tenants (id),
    confidence          TEXT COLLATE "C"    NOT NULL CONSTRAINT known_confidence CHECK (confidence IN ('high', 'medium', 'low')),
    because             TEXT COLLATE "C"    NOT NULL,
    directory_version   BIGINT  NOT NULL,
    mapped_at           BIGINT  NOT NULL,
    CONSTRAINT tenant_iff_mapped CHECK ((tenant_id IS NOT NULL) = (verdict = 'mapped'))
);

-- Facts and coverage are grouped by organisation domain and tenant.
CREATE INDEX mappings_by_organisation ON mappings (incident_id, organisation_domain);
CREATE INDEX mappings_by_tenant ON mappings (incident_id, tenant_id);
-- The mapping step looks for verdicts older than the directory.
CREATE INDEX mappings_by_version ON mappings (incident_id, directory_version);

-- A person's decision on one domain in one incident: it is this tenant's, or it is not.
CREATE TABLE mapping_decisions (
    incident_id BIGINT  NOT NULL REFERENCES incidents (id),
    domain      TEXT COLLATE "C"    NOT NULL,
    tenant_id   TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    decision    TEXT COLLATE "C"    NOT NULL CONSTRAINT known_decision CHECK (decision IN ('assigned', 'rejected')),
    why         TEXT COLLATE "C"    NOT NULL,
    actor       TEXT COLLATE "C"    NOT NULL,
    decided_at  BIGINT  NOT NULL,
    expires_at  BIGINT ,
    lapsed_at  BIGINT, -- set by the sweep once expires_at has passed; the entry then counts no more
    PRIMARY KEY (incident_id, domain, tenant_id)
);
