-- A manifest that was or is being counted. records_done is where an interrupted count resumes.
CREATE TABLE manifests (
    id           INTEGER NOT NULL PRIMARY KEY,
    incident_id  INTEGER NOT NULL REFERENCES incidents (id),
    name         TEXT    NOT NULL,
    digest       TEXT    NOT NULL, -- SHA-256 of the content: a file is recognised under any name
    pass         INTEGER NOT NULL, -- 1, and one more for each --again
    why          TEXT    NOT NULL,
    size_bytes   INTEGER NOT NULL,
    records_done INTEGER NOT NULL,
    rows_read    INTEGER NOT NULL,
    blank_lines  INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    started_by   TEXT    NOT NULL,
    started_at   INTEGER NOT NULL,
    counted_at   INTEGER,
    UNIQUE (incident_id, digest, pass),
    CONSTRAINT every_row_in_one_count CHECK (rows_read = accepted + rejected)
) STRICT;

-- Rows that could not be used, with their raw text.
CREATE TABLE rejects (
    manifest_id INTEGER NOT NULL REFERENCES manifests (id),
    line        INTEGER NOT NULL,
    record      INTEGER NOT NULL,
    reason      TEXT    NOT NULL CONSTRAINT known_reason CHECK (reason IN ('columns', 'no_domain', 'bad_domain')),
    raw         TEXT    NOT NULL,
    PRIMARY KEY (manifest_id, record)
) STRICT;

-- Each normalised host that rows refer to, with its raw references. Organisations are derived from hosts, never stored here.
CREATE TABLE hosts (
    id           INTEGER NOT NULL PRIMARY KEY,
    incident_id  INTEGER NOT NULL REFERENCES incidents (id),
    host         TEXT    NOT NULL,
    row_count    INTEGER NOT NULL,
    rows_missing INTEGER NOT NULL, -- rows with a missing field
    rows_invalid INTEGER NOT NULL, -- rows with an invalid field
    UNIQUE (incident_id, host)
) STRICT;

-- Distinct exposed objects: their path, never their content.
CREATE TABLE objects (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    object_key  BLOB    NOT NULL, -- first 16 bytes of the path's SHA-256
    path        TEXT    NOT NULL,
    PRIMARY KEY (incident_id, object_key)
) STRICT, WITHOUT ROWID;

-- What the rows of one host say about one object: the smallest size, the earliest date, the first type in byte order.
CREATE TABLE host_objects (
    host_id       INTEGER NOT NULL REFERENCES hosts (id),
    object_key    BLOB    NOT NULL,
    size_bytes    INTEGER,
    document_date TEXT,
    data_type     TEXT,
    in_dispute    INTEGER NOT NULL CHECK (in_dispute IN (0, 1)),
    PRIMARY KEY (host_id, object_key)
) STRICT, WITHOUT ROWID;

-- Distinct addresses and users (as keyed hashes) and projects of a host.
CREATE TABLE host_identities (
    host_id  INTEGER NOT NULL REFERENCES hosts (id),
    kind     TEXT    NOT NULL CONSTRAINT known_kind CHECK (kind IN ('email', 'user', 'project')),
    identity TEXT    NOT NULL,
    PRIMARY KEY (host_id, kind, identity)
) STRICT, WITHOUT ROWID;
