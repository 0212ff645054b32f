-- The vendor's customers.
CREATE TABLE tenants (
    id       TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    country  TEXT    NOT NULL,
    language TEXT    NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

-- Who claims which domain: imported and manual entries stand side by side.
CREATE TABLE domains (
    domain     TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    source     TEXT    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    alias_of   TEXT,
    why        TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    added_at   INTEGER NOT NULL,
    expires_at INTEGER,
    lapsed_at  INTEGER, -- set by the sweep once expires_at has passed; the entry then counts no more
    PRIMARY KEY (domain, tenant_id, source)
) STRICT;

-- The people of a tenant. A disabled one stays disabled when the directory is imported again.
CREATE TABLE contacts (
    id           TEXT    NOT NULL PRIMARY KEY,
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id),
    role         TEXT    NOT NULL CONSTRAINT known_role CHECK (role IN ('security', 'privacy', 'legal', 'admin', 'technical', 'account-manager')),
    name         TEXT    NOT NULL,
    address      TEXT    NOT NULL, -- normalised: lower case, domain as A-label
    language     TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    timezone     TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    source       TEXT    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    added_at     INTEGER NOT NULL,
    disabled_at  INTEGER,
    disabled_why TEXT,
    UNIQUE (tenant_id, role, address),
    CONSTRAINT disabled_iff_why CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
) STRICT;

-- An address is looked up when it is disabled and when a mail comes in.
CREATE INDEX contacts_by_address ON contacts (address);
