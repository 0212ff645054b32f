-- What each directory says of a contact, and what a person entered: side by side. The contact itself is what counts of
-- that: an entry by hand before imports, the directory named `directory` before the others, those by name.
CREATE TABLE contact_entries (
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id),
    role         TEXT    NOT NULL,
    address      TEXT    NOT NULL, -- normalised, as in contacts
    source       TEXT    NOT NULL CONSTRAINT known_entry_source CHECK (source IN ('imported', 'manual')),
    origin       TEXT    NOT NULL, -- of an import: the name of the directory it came from; of a manual entry: empty
    name         TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    timezone     TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    may_be_named TEXT    NOT NULL CONSTRAINT known_entry_consent CHECK (may_be_named IN ('', 'yes', 'no')),
    is_disabled  INTEGER NOT NULL CONSTRAINT entry_disabled_or_not CHECK (is_disabled IN (0, 1)), -- the directory says so
    is_verified  INTEGER NOT NULL CONSTRAINT entry_verified_or_not CHECK (is_verified IN (0, 1)), -- likewise
    why          TEXT    NOT NULL, -- of a manual entry
    actor        TEXT    NOT NULL,
    added_at     INTEGER NOT NULL,
    expires_at   INTEGER,
    lapsed_at    INTEGER, -- set once expires_at has passed, the directory names them no more, or a person took it back
    PRIMARY KEY (tenant_id, role, address, source, origin),
    CONSTRAINT origin_iff_imported CHECK ((source = 'imported') = (origin <> ''))
) STRICT, WITHOUT ROWID;
INSERT INTO contact_entries (tenant_id, role, address, source, origin, name, language, channel, timezone, priority, may_be_named, is_disabled, is_verified, why, actor, added_at, expires_at, lapsed_at)
SELECT tenant_id, role, address, source, CASE WHEN source = 'imported' THEN origin ELSE '' END, name, language, channel, timezone, priority, may_be_named,
       CASE WHEN disabled_why = 'disabled in the directory' THEN 1 ELSE 0 END,
       CASE WHEN verified_at IS NOT NULL AND verified_how IS NULL THEN 1 ELSE 0 END, why, '', added_at, NULL, left_at
FROM contacts
ORDER BY tenant_id, role, address;
-- The sweep looks for entries whose time is over.
CREATE INDEX contact_entries_expiring ON contact_entries (expires_at) WHERE expires_at IS NOT NULL AND lapsed_at IS NULL;

-- Who noted the consent; none: it is what the entries say.
ALTER TABLE contacts ADD COLUMN consent_by TEXT;

-- A person's word on an address: never write to it, or write to it whatever a directory says. Of all tenants, or of one.
CREATE TABLE contact_words (
    address   TEXT    NOT NULL,
    tenant_id TEXT    NOT NULL, -- empty: wherever it is a contact
    word      TEXT    NOT NULL CONSTRAINT known_word CHECK (word IN ('never', 'write')),
    why       TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (address, tenant_id)
) STRICT, WITHOUT ROWID;
INSERT INTO contact_words (address, tenant_id, word, why, actor, at)
SELECT address, '', 'never', MIN(disabled_why), '', MIN(disabled_at)
FROM contacts
WHERE disabled_at IS NOT NULL AND disabled_why <> 'disabled in the directory'
GROUP BY address;

-- What each directory calls a tenant. The tenant itself says what counts: the directory named `directory` before the
-- others, those by name. Two directories that mean different organisations by one id are told apart by it.
CREATE TABLE tenant_entries (
    tenant_id TEXT    NOT NULL REFERENCES tenants (id),
    origin    TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    country   TEXT    NOT NULL,
    language  TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, origin)
) STRICT, WITHOUT ROWID;
INSERT INTO tenant_entries (tenant_id, origin, name, country, language)
SELECT id, COALESCE((SELECT MIN(d.origin) FROM domains d WHERE d.tenant_id = tenants.id AND d.source = 'imported'), 'directory'),
       name, country, language
FROM tenants;
