-- Who claims which domain: imported and manual entries stand side by side, each with where it is from. An entry that
-- left its file or expired is lapsed, and kept.
CREATE TABLE domains_anew (
    domain     TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    source     TEXT    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    origin     TEXT    NOT NULL, -- of an import: the name of the directory it came from; of a manual entry: empty
    alias_of   TEXT,
    over       TEXT    NOT NULL, -- JSON: tenants whose imported claims the person knew of and set aside
    why        TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    added_at   INTEGER NOT NULL,
    expires_at INTEGER,
    lapsed_at  INTEGER, -- set once expires_at has passed, or the entry left its file; it then counts no more
    moved_from TEXT,    -- of an import: the tenant that the same directory named before
    moved_at   INTEGER,
    PRIMARY KEY (domain, tenant_id, source, origin),
    CONSTRAINT moved_iff_from CHECK ((moved_from IS NULL) = (moved_at IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO domains_anew (domain, tenant_id, source, origin, alias_of, over, why, actor, added_at, expires_at, lapsed_at)
SELECT domain, tenant_id, source, CASE WHEN source = 'imported' THEN 'directory' ELSE '' END, alias_of, '[]', why, actor, added_at, expires_at, lapsed_at
FROM domains
ORDER BY domain, tenant_id, source;
DROP TABLE domains;
ALTER TABLE domains_anew RENAME TO domains;
-- The sweep looks for exceptions and changes of owner whose time is over.
CREATE INDEX domains_expiring ON domains (expires_at) WHERE expires_at IS NOT NULL AND lapsed_at IS NULL;
CREATE INDEX domains_moved ON domains (moved_at) WHERE moved_at IS NOT NULL;
-- A domain that left and comes back for another tenant has changed hands.
CREATE INDEX domains_left ON domains (lapsed_at) WHERE lapsed_at IS NOT NULL;

-- Imports of the directory. One that is not finished was interrupted: the same command goes on.
CREATE TABLE directory_imports (
    id          TEXT    NOT NULL PRIMARY KEY,
    origin      TEXT    NOT NULL,
    files       TEXT    NOT NULL, -- JSON: name and SHA-256 of each
    started_by  TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    difference  TEXT    NOT NULL  -- JSON: what it added, changed, took away
) STRICT;

-- Newer Public Suffix Lists than the one in the program. The newest counts.
CREATE TABLE suffix_lists (
    id        INTEGER NOT NULL PRIMARY KEY,
    version   TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    loaded_by TEXT    NOT NULL,
    loaded_at INTEGER NOT NULL
) STRICT;

ALTER TABLE contacts ADD COLUMN origin TEXT NOT NULL DEFAULT 'directory'; -- as in domains
ALTER TABLE contacts ADD COLUMN why TEXT NOT NULL DEFAULT '';             -- of a manual entry
ALTER TABLE contacts ADD COLUMN may_be_named TEXT NOT NULL DEFAULT '' CONSTRAINT known_consent CHECK (may_be_named IN ('', 'yes', 'no'));
ALTER TABLE contacts ADD COLUMN verified_at INTEGER;   -- somebody made sure; an import alone is the vendor's word
ALTER TABLE contacts ADD COLUMN verified_by TEXT;
ALTER TABLE contacts ADD COLUMN verified_how TEXT;
ALTER TABLE contacts ADD COLUMN left_at INTEGER;       -- the directory names it no more
ALTER TABLE contacts ADD COLUMN merged_into TEXT REFERENCES contacts (id); -- a duplicate: the other one counts

-- Addresses found by look-up or named by somebody: not contacts, and told no facts, until a person confirms them.
CREATE TABLE found_contacts (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    role        TEXT    NOT NULL CONSTRAINT known_found_role CHECK (role IN ('security', 'privacy', 'legal', 'admin', 'technical')),
    name        TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    rung        TEXT    NOT NULL CONSTRAINT known_found_rung CHECK (rung IN ('security-txt', 'rdap', 'role-mailboxes', 'named')),
    provenance  TEXT    NOT NULL, -- a sentence: where and when it was found
    found_at    INTEGER NOT NULL,
    state       TEXT    NOT NULL CONSTRAINT known_found_state CHECK (state IN ('unverified', 'confirmed', 'rejected')),
    decided_by  TEXT,
    decided_at  INTEGER,
    decided_why TEXT,
    contact_id  TEXT    REFERENCES contacts (id),
    UNIQUE (tenant_id, address),
    CONSTRAINT decided_iff_by CHECK ((state = 'unverified') = (decided_by IS NULL)),
    CONSTRAINT contact_iff_confirmed CHECK ((state = 'confirmed') = (contact_id IS NOT NULL))
) STRICT;

-- What was done to reach an organisation whose contacts are missing or do not answer, rung by rung. Only added to.
CREATE TABLE reach_attempts (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    number      INTEGER NOT NULL, -- from 1
    rung        TEXT    NOT NULL CONSTRAINT known_rung CHECK (rung IN ('known-contacts', 'security-txt', 'rdap', 'role-mailboxes', 'account-manager', 'letter')),
    at          INTEGER NOT NULL,
    outcome     TEXT    NOT NULL CONSTRAINT known_outcome CHECK (outcome IN ('nobody', 'skipped', 'failed', 'asked', 'task')),
    detail      TEXT    NOT NULL,
    next_at     INTEGER,          -- when the next rung is due; none: this was the last
    PRIMARY KEY (incident_id, tenant_id, number)
) STRICT, WITHOUT ROWID;
-- The sweep asks whose next rung is due.
CREATE INDEX reach_due ON reach_attempts (next_at) WHERE next_at IS NOT NULL;

-- Answers of external look-ups, so that nobody is asked twice in a short time and a run can be explained.
CREATE TABLE lookup_answers (
    question TEXT    NOT NULL CONSTRAINT known_question CHECK (question IN ('security-txt', 'rdap')),
    domain   TEXT    NOT NULL,
    asked_at INTEGER NOT NULL,
    url      TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (question, domain)
) STRICT, WITHOUT ROWID;

-- A person's decision on one domain in one incident: it is this tenant's, it is not, or somebody there says that it is not.
CREATE TABLE decisions_anew (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    domain      TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    decision    TEXT    NOT NULL CONSTRAINT known_decision CHECK (decision IN ('assigned', 'rejected', 'disputed')),
    why         TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    decided_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    lapsed_at   INTEGER, -- set by the sweep once expires_at has passed, or another word took its place; it then counts no more
    PRIMARY KEY (incident_id, domain, tenant_id, decision)
) STRICT;
INSERT INTO decisions_anew (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at)
SELECT incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at FROM mapping_decisions;
DROP TABLE mapping_decisions;
ALTER TABLE decisions_anew RENAME TO mapping_decisions;
-- Mail to whoever says that it is not theirs waits.
CREATE INDEX decisions_disputed ON mapping_decisions (incident_id, tenant_id) WHERE decision = 'disputed' AND lapsed_at IS NULL;

-- A change of mapping that moves many organisations waits for a second person.
CREATE TABLE mapping_proposals (
    id          TEXT    NOT NULL PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    changes     TEXT    NOT NULL, -- JSON: domain, tenant, reason, expiry of each
    moves       INTEGER NOT NULL, -- organisations whose verdict it changes
    proposed_by TEXT    NOT NULL,
    proposed_at INTEGER NOT NULL,
    decision    TEXT    CONSTRAINT known_proposal CHECK (decision IN ('approved', 'rejected')),
    decided_by  TEXT,
    decided_at  INTEGER,
    CONSTRAINT proposal_decided_iff_by CHECK ((decision IS NULL) = (decided_by IS NULL)),
    CONSTRAINT approved_by_a_second CHECK (decision IS NULL OR decision <> 'approved' OR decided_by <> proposed_by)
) STRICT;

-- A verdict is looked at again when something that decides it changed; it says by which list of suffixes it was given,
-- and why a person has to look before anything is sent.
ALTER TABLE mappings ADD COLUMN stale INTEGER NOT NULL DEFAULT 0 CONSTRAINT stale_or_not CHECK (stale IN (0, 1));
ALTER TABLE mappings ADD COLUMN suffix_list TEXT NOT NULL DEFAULT '';
ALTER TABLE mappings ADD COLUMN review TEXT NOT NULL DEFAULT '' CONSTRAINT known_review CHECK (review IN ('', 'several-claims', 'manual-import', 'owner-changed', 'disputed'));
DROP INDEX mappings_by_version;
-- The mapping step looks for verdicts that are stale.
CREATE INDEX mappings_stale ON mappings (incident_id, reversed) WHERE stale = 1;
UPDATE mappings SET stale = 1;
