-- Exposure records move from a row per distinct thing to sorted runs of blocks, which import ten times faster
-- (docs/decisions/0006). What was counted into the old tables is not carried over: its manifests are read again.
DROP TABLE host_identities;
DROP TABLE host_objects;
DROP TABLE objects;
DROP TABLE mappings;
DROP TABLE hosts;
DELETE FROM rejects;
DELETE FROM manifests;

-- How the file was read, what was found out about it, and what a corrected copy is recognised by.
ALTER TABLE manifests ADD COLUMN reading TEXT NOT NULL DEFAULT '';        -- the options it is read with
ALTER TABLE manifests ADD COLUMN described TEXT NOT NULL DEFAULT '';      -- format, encoding, compression, for people
ALTER TABLE manifests ADD COLUMN rules INTEGER NOT NULL DEFAULT 1;        -- version of the counting rules
ALTER TABLE manifests ADD COLUMN used_sum TEXT NOT NULL DEFAULT '0';      -- sum of hashes of the rows' texts that were used, hex
ALTER TABLE manifests ADD COLUMN rejected_sum TEXT NOT NULL DEFAULT '0';  -- likewise of the rows that were rejected
ALTER TABLE manifests ADD COLUMN counted_before INTEGER NOT NULL DEFAULT 0; -- rows of a corrected copy that its original counted
ALTER TABLE manifests ADD COLUMN corrects INTEGER REFERENCES manifests (id);
ALTER TABLE manifests ADD COLUMN fold_after TEXT NOT NULL DEFAULT '';     -- the last host that has its verdict, reversed
ALTER TABLE manifests ADD COLUMN folded_at INTEGER;                       -- set when every host has its verdict
ALTER TABLE manifests ADD COLUMN withdrawn_at INTEGER;                      -- set: taken back, in no figure any more
ALTER TABLE manifests ADD COLUMN withdrawn_why TEXT;

-- Set when a corrected copy brought the row again: it counts there.
ALTER TABLE rejects ADD COLUMN corrected_by INTEGER REFERENCES manifests (id);

-- What a bounded number of rows came to, sorted by host: a run. An open one is in no figure.
CREATE TABLE runs (
    id          INTEGER NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    manifest_id INTEGER NOT NULL REFERENCES manifests (id),
    kind        TEXT    NOT NULL CONSTRAINT known_run CHECK (kind IN ('sets', 'counts')),
    state       TEXT    NOT NULL CONSTRAINT known_run_state CHECK (state IN ('open', 'ready')),
    made_at     INTEGER NOT NULL
) STRICT;

-- Figures are folds over the ready runs of an incident.
CREATE INDEX runs_by_incident ON runs (incident_id, kind, state);
CREATE INDEX runs_by_manifest ON runs (manifest_id);

-- Blocks of a run: records of keys, sizes, dates, types (services/model/src/runs/block.rs has the format, which has no
-- place for content), and apart from them the names of objects and projects, compressed.
CREATE TABLE run_blocks (
    run_id     INTEGER NOT NULL REFERENCES runs (id),
    number     INTEGER NOT NULL,
    first_host TEXT    NOT NULL, -- labels from last to first
    last_host  TEXT    NOT NULL,
    entries    INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    names      BLOB    NOT NULL,
    PRIMARY KEY (run_id, number)
) STRICT;

-- Which organisation a host belongs to, as of a version of the directory. Recomputed, never edited.
CREATE TABLE mappings (
    incident_id         INTEGER NOT NULL REFERENCES incidents (id),
    reversed            TEXT    NOT NULL, -- the host, labels from last to first: what lies below a domain lies together
    host                TEXT    NOT NULL,
    verdict             TEXT    NOT NULL CONSTRAINT known_verdict CHECK (verdict IN ('mapped', 'unmapped', 'shared', 'conflict')),
    rule                TEXT    NOT NULL CONSTRAINT known_rule CHECK (rule IN ('exact', 'parent', 'alias', 'manual', 'public-suffix', 'shared-list')),
    organisation_domain TEXT    NOT NULL,
    tenant_id           TEXT    REFERENCES tenants (id),
    confidence          TEXT    NOT NULL CONSTRAINT known_confidence CHECK (confidence IN ('high', 'medium', 'low')),
    because             TEXT    NOT NULL,
    directory_version   INTEGER NOT NULL,
    mapped_at           INTEGER NOT NULL,
    PRIMARY KEY (incident_id, reversed),
    CONSTRAINT tenant_iff_mapped CHECK ((tenant_id IS NOT NULL) = (verdict = 'mapped'))
) STRICT;

-- Coverage is counted per organisation domain and tenant, from this index alone.
CREATE INDEX mappings_by_organisation ON mappings (incident_id, organisation_domain, verdict, tenant_id);
-- The mapping step looks for verdicts older than the directory.
CREATE INDEX mappings_by_version ON mappings (incident_id, directory_version);

-- The fact sheet of each affected organisation domain, and what is counted of shared ones.
CREATE TABLE fact_sheets (
    incident_id         INTEGER NOT NULL REFERENCES incidents (id),
    organisation_domain TEXT    NOT NULL,
    verdict             TEXT    NOT NULL CONSTRAINT known_sheet_verdict CHECK (verdict IN ('mapped', 'unmapped', 'shared', 'conflict')),
    tenant_id           TEXT    REFERENCES tenants (id),
    row_count           INTEGER NOT NULL,
    rows_missing        INTEGER NOT NULL, -- rows with a missing field
    rows_invalid        INTEGER NOT NULL, -- rows with an invalid field
    by_field            TEXT    NOT NULL, -- JSON: rows by missing and by invalid field
    facts               TEXT    NOT NULL, -- JSON of DomainFacts
    version             INTEGER NOT NULL, -- 1, and one more for each change
    changed_at          INTEGER NOT NULL,
    PRIMARY KEY (incident_id, organisation_domain)
) STRICT;

-- Notices are written tenant by tenant.
CREATE INDEX fact_sheets_by_tenant ON fact_sheets (incident_id, tenant_id);

-- Fact sheets that a manifest or a verdict has made stale.
CREATE TABLE stale_sheets (
    incident_id         INTEGER NOT NULL REFERENCES incidents (id),
    reversed            TEXT    NOT NULL, -- of the organisation domain
    cause               TEXT    NOT NULL,
    stamp               INTEGER NOT NULL, -- drawn anew with each mark: a sheet that was counted before the last one stays stale
    PRIMARY KEY (incident_id, reversed)
) STRICT;

-- How a fact sheet changed after it was first written: supplements are written from it.
CREATE TABLE fact_changes (
    incident_id         INTEGER NOT NULL REFERENCES incidents (id),
    organisation_domain TEXT    NOT NULL,
    version             INTEGER NOT NULL, -- of the sheet after the change
    changed_at          INTEGER NOT NULL,
    cause               TEXT    NOT NULL,
    before              TEXT    NOT NULL, -- JSON of DomainFacts
    after               TEXT    NOT NULL, -- likewise; empty: no longer affected
    PRIMARY KEY (incident_id, organisation_domain, version)
) STRICT;

-- Exposed persons are known by hashes under a key of their own, so that erasing them breaks no conversation.
ALTER TABLE incidents ADD COLUMN identities TEXT NOT NULL DEFAULT 'hashed' CONSTRAINT known_identities CHECK (identities IN ('hashed', 'plain'));
ALTER TABLE incidents ADD COLUMN path_rule TEXT NOT NULL DEFAULT '';  -- where a listing's paths name the domain
ALTER TABLE incidents ADD COLUMN identity_key TEXT;                   -- under the master key; destroyed by erasing
ALTER TABLE incidents ADD COLUMN erased_at INTEGER;
ALTER TABLE incidents ADD COLUMN totals_at_erasure TEXT;              -- JSON: counts outlive the sets
