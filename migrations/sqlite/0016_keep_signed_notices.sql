-- Keys of this installation that sign notices in their machine-readable form. The newest signs; older ones stay published,
-- so that what they signed can still be checked.
CREATE TABLE signing_keys (
    id          TEXT    NOT NULL PRIMARY KEY, -- thumbprint of the public key (RFC 7638)
    public_key  TEXT    NOT NULL,             -- base64url, as a JWK has it
    wrapped_key TEXT    NOT NULL,             -- PKCS#8, wrapped by the master key
    made_at     INTEGER NOT NULL              -- microseconds, as all times here
) STRICT;

CREATE TRIGGER signing_keys_are_kept BEFORE DELETE ON signing_keys
BEGIN SELECT RAISE(ABORT, 'signing_keys_are_kept: notices that it signed could not be checked any more'); END;

-- Notices as they were approved, for machines: what was signed is what is given.
CREATE TABLE signed_notices (
    notice_id TEXT    NOT NULL PRIMARY KEY REFERENCES notices (id),
    payload   TEXT    NOT NULL, -- JSON in its one form (RFC 8785)
    jws       TEXT    NOT NULL, -- compact serialisation (RFC 7515), the payload left out of its middle
    key_id    TEXT    NOT NULL REFERENCES signing_keys (id),
    signed_at INTEGER NOT NULL
) STRICT;

-- Approved means frozen, byte for byte.
CREATE TRIGGER signed_notices_are_frozen BEFORE UPDATE ON signed_notices
BEGIN SELECT RAISE(ABORT, 'signed_notices_are_frozen: draft a new version instead'); END;
CREATE TRIGGER signed_notices_are_kept BEFORE DELETE ON signed_notices
BEGIN SELECT RAISE(ABORT, 'signed_notices_are_kept: somebody may have it'); END;
