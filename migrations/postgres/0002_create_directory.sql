-- The vendor's customers.
CREATE TABLE tenants (
    id       TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    name     TEXT COLLATE "C"    NOT NULL,
    country  TEXT COLLATE "C"    NOT NULL,
    language TEXT COLLATE "C"    NOT NULL,
    added_at BIGINT  NOT NULL
);

-- Who claims which domain: imported and manual entries stand side by side.
CREATE TABLE domains (
    domain     TEXT COLLATE "C"    NOT NULL,
    tenant_id  TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    source     TEXT COLLATE "C"    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    alias_of   TEXT COLLATE "C",
    why        TEXT COLLATE "C"    NOT NULL,
    actor      TEXT COLLATE "C"    NOT NULL,
    added_at   BIGINT  NOT NULL,
    expires_at BIGINT ,
    lapsed_at  BIGINT, -- set by the sweep once expires_at has passed; the entry then counts no more
    PRIMARY KEY (domain, tenant_id, source)
);

-- The people of a tenant. A disabled one stays disabled when the directory is imported again.
CREATE TABLE contacts (
    id           TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    tenant_id    TEXT COLLATE "C"    NOT NULL REFERENCES tenants (id),
    role         TEXT COLLATE "C"    NOT NULL CONSTRAINT known_role CHECK (role IN ('security', 'privacy', 'legal', 'admin', 'technical', 'account-manager')),
    name         TEXT COLLATE "C"    NOT NULL,
    address      TEXT COLLATE "C"    NOT NULL, -- normalised: lower case, domain as A-label
    language     TEXT COLLATE "C"    NOT NULL,
    channel      TEXT COLLATE "C"    NOT NULL,
    timezone     TEXT COLLATE "C"    NOT NULL,
    priority     BIGINT  NOT NULL,
    source       TEXT COLLATE "C"    NOT NULL CONSTRAINT known_source CHECK (source IN ('imported', 'manual')),
    added_at     BIGINT  NOT NULL,
    disabled_at  BIGINT ,
    disabled_why TEXT COLLATE "C",
    UNIQUE (tenant_id, role, address),
    CONSTRAINT disabled_iff_why CHECK ((disabled_at IS NULL) = (disabled_why IS NULL))
);

-- An address is looked up when it is disabled and when a mail comes in.
CREATE INDEX contacts_by_address ON contacts (address);
