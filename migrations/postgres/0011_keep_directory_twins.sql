-- Who claims which domain: imported and manual entries stand side by side, each with where it is from. An entry that
-- left its file or expired is lapsed, and kept.
CREATE TABLE domains_anew (
    domain     TEXT COLLATE "C"    NOT NULL,
    tenant_id  TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    source     TEXT COLLATE "C"    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    origin     TEXT COLLATE "C"    NOT NULL, -- of an import: the name of the directory it came from; of a manual entry: empty
    alias_of   TEXT COLLATE "C",
    over       TEXT COLLATE "C"    NOT NULL, -- JSON: tenants whose imported claims the person knew of and set aside
    why        TEXT COLLATE "C"    NOT NULL,
    actor      TEXT COLLATE "C"    NOT NULL,
    added_at   BIGINT NOT NULL,
    expires_at BIGINT,
    lapsed_at  BIGINT, -- set once expires_at has passed, or the entry left its file; it then counts no more
    moved_from TEXT COLLATE "C",    -- of an import: the tenant that the same directory named before
    moved_at   BIGINT,
    PRIMARY KEY (domain, tenant_id, source, origin),
    CONSTRAINT moved_iff_from CHECK ((moved_from IS NULL) = (moved_at IS NULL))
);
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
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    origin      TEXT COLLATE "C"    NOT NULL,
    files       TEXT COLLATE "C"    NOT NULL, -- JSON: name and SHA-256 of each
    started_by  TEXT COLLATE "C"    NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    difference  TEXT COLLATE "C"    NOT NULL  -- JSON: what it added, changed, took away
);

-- Newer Public Suffix Lists than the one in the program. The newest counts.
CREATE TABLE suffix_lists (
    id        BIGINT NOT NULL PRIMARY KEY,
    version   TEXT COLLATE "C"    NOT NULL,
    text      TEXT COLLATE "C"    NOT NULL,
    loaded_by TEXT COLLATE "C"    NOT NULL,
    loaded_at BIGINT NOT NULL
);

ALTER TABLE contacts ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'directory'; -- as in domains
ALTER TABLE contacts ADD COLUMN why TEXT COLLATE "C" NOT NULL DEFAULT '';             -- of a manual entry
ALTER TABLE contacts ADD COLUMN may_be_named TEXT COLLATE "C" NOT NULL DEFAULT '' CONSTRAINT known_consent CHECK (may_be_named IN ('', 'yes', 'no'));
ALTER TABLE contacts ADD COLUMN verified_at BIGINT;   -- somebody made sure; an import alone is the vendor's word
ALTER TABLE contacts ADD COLUMN verified_by TEXT COLLATE "C";
ALTER TABLE contacts ADD COLUMN verified_how TEXT COLLATE "C";
ALTER TABLE contacts ADD COLUMN left_at BIGINT;       -- the directory names it no more
ALTER TABLE contacts ADD COLUMN merged_into TEXT COLLATE "C" REFERENCES contacts (id); -- a duplicate: the other one counts

-- Addresses found by look-up or named by somebody: not contacts, and told no facts, until a person confirms them.
CREATE TABLE found_contacts (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    tenant_id   TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    role        TEXT COLLATE "C"    NOT NULL CONSTRAINT known_found_role CHECK (role IN ('security', 'privacy', 'legal', 'admin', 'technical')),
    name        TEXT COLLATE "C"    NOT NULL,
    address     TEXT COLLATE "C"    NOT NULL,
    language    TEXT COLLATE "C"    NOT NULL,
    rung        TEXT COLLATE "C"    NOT NULL CONSTRAINT known_found_rung CHECK (rung IN ('security-txt', 'rdap', 'role-mailboxes', 'named')),
    provenance  TEXT COLLATE "C"    NOT NULL, -- a sentence: where and when it was found
    found_at    BIGINT NOT NULL,
    state       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_found_state CHECK (state IN ('unverified', 'confirmed', 'rejected')),
    decided_by  TEXT COLLATE "C",
    decided_at  BIGINT,
    decided_why TEXT COLLATE "C",
    contact_id  TEXT COLLATE "C"    REFERENCES contacts (id),
    UNIQUE (tenant_id, address),
    CONSTRAINT decided_iff_by CHECK ((state = 'unverified') = (decided_by IS NULL)),
    CONSTRAINT contact_iff_confirmed CHECK ((state = 'confirmed') = (contact_id IS NOT NULL))
);

-- What was done to reach an organisation whose contacts are missing or do not answer, rung by rung. Only added to.
CREATE TABLE reach_attempts (
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    tenant_id   TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    number      BIGINT NOT NULL, -- from 1
    rung        TEXT COLLATE "C"    NOT NULL CONSTRAINT known_rung CHECK (rung IN ('known-contacts', 'security-txt', 'rdap', 'role-mailboxes', 'account-manager', 'letter')),
    at          BIGINT NOT NULL,
    outcome     TEXT COLLATE "C"    NOT NULL CONSTRAINT known_outcome CHECK (outcome IN ('nobody', 'skipped', 'failed', 'asked', 'task')),
    detail      TEXT COLLATE "C"    NOT NULL,
    next_at     BIGINT,          -- when the next rung is due; none: this was the last
    PRIMARY KEY (incident_id, tenant_id, number)
);
-- The sweep asks whose next rung is due.
CREATE INDEX reach_due ON reach_attempts (next_at) WHERE next_at IS NOT NULL;

-- Answers of external look-ups, so that nobody is asked twice in a short time and a run can be explained.
CREATE TABLE lookup_answers (
    question TEXT COLLATE "C"    NOT NULL CONSTRAINT known_question CHECK (question IN ('security-txt', 'rdap')),
    domain   TEXT COLLATE "C"    NOT NULL,
    asked_at BIGINT NOT NULL,
    url      TEXT COLLATE "C"    NOT NULL,
    status   TEXT COLLATE "C"    NOT NULL,
    body     BYTEA    NOT NULL,
    PRIMARY KEY (question, domain)
);

-- A person's decision on one domain in one incident: it is this tenant's, it is not, or somebody there says that it is not.
CREATE TABLE decisions_anew (
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    domain      TEXT COLLATE "C"    NOT NULL,
    tenant_id   TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    decision    TEXT COLLATE "C"    NOT NULL CONSTRAINT known_decision CHECK (decision IN ('assigned', 'rejected', 'disputed')),
    why         TEXT COLLATE "C"    NOT NULL,
    actor       TEXT COLLATE "C"    NOT NULL,
    decided_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    lapsed_at   BIGINT, -- set by the sweep once expires_at has passed, or another word took its place; it then counts no more
    PRIMARY KEY (incident_id, domain, tenant_id, decision)
);
INSERT INTO decisions_anew (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at)
SELECT incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at FROM mapping_decisions;
DROP TABLE mapping_decisions;
ALTER TABLE decisions_anew RENAME TO mapping_decisions;
-- Mail to whoever says that it is not theirs waits.
CREATE INDEX decisions_disputed ON mapping_decisions (incident_id, tenant_id) WHERE decision = 'disputed' AND lapsed_at IS NULL;

-- A change of mapping that moves many organisations waits for a second person.
CREATE TABLE mapping_proposals (
    id          TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    changes     TEXT COLLATE "C"    NOT NULL, -- JSON: domain, tenant, reason, expiry of each
    moves       BIGINT NOT NULL, -- organisations whose verdict it changes
    proposed_by TEXT COLLATE "C"    NOT NULL,
    proposed_at BIGINT NOT NULL,
    decision    TEXT COLLATE "C"    CONSTRAINT known_proposal CHECK (decision IN ('approved', 'rejected')),
    decided_by  TEXT COLLATE "C",
    decided_at  BIGINT,
    CONSTRAINT proposal_decided_iff_by CHECK ((decision IS NULL) = (decided_by IS NULL)),
    CONSTRAINT approved_by_a_second CHECK (decision IS NULL OR decision <> 'approved' OR decided_by <> proposed_by)
);

-- A verdict is looked at again when something that decides it changed; it says by which list of suffixes it was given,
-- and why a person has to look before anything is sent.
ALTER TABLE mappings ADD COLUMN stale BIGINT NOT NULL DEFAULT 0 CONSTRAINT stale_or_not CHECK (stale IN (0, 1));
ALTER TABLE mappings ADD COLUMN suffix_list TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE mappings ADD COLUMN review TEXT COLLATE "C" NOT NULL DEFAULT '' CONSTRAINT known_review CHECK (review IN ('', 'several-claims', 'manual-import', 'owner-changed', 'disputed'));
DROP INDEX mappings_by_version;
-- The mapping step looks for verdicts that are stale.
CREATE INDEX mappings_stale ON mappings (incident_id, reversed) WHERE stale = 1;
UPDATE mappings SET stale = 1;
