-- Keys of this installation that sign notices in their machine-readable form. The newest signs; older ones stay published,
-- so that what they signed can still be checked.
CREATE TABLE signing_keys (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- thumbprint of the public key (RFC 7638)
    public_key  TEXT COLLATE "C" NOT NULL,             -- base64url, as a JWK has it
    wrapped_key TEXT COLLATE "C" NOT NULL,             -- PKCS#8, wrapped by the master key
    made_at     BIGINT NOT NULL                        -- microseconds, as all times here
);

CREATE FUNCTION signing_keys_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'signing_keys_are_kept: notices that it signed could not be checked any more' USING ERRCODE = 'check_violation';
END;
$$;
CREATE TRIGGER signing_keys_are_kept BEFORE DELETE ON signing_keys FOR EACH ROW EXECUTE FUNCTION signing_keys_are_kept();

-- Notices as they were approved, for machines: what was signed is what is given.
CREATE TABLE signed_notices (
    notice_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES notices (id),
    payload   TEXT COLLATE "C" NOT NULL, -- JSON in its one form (RFC 8785)
    jws       TEXT COLLATE "C" NOT NULL, -- compact serialisation (RFC 7515), the payload left out of its middle
    key_id    TEXT COLLATE "C" NOT NULL REFERENCES signing_keys (id),
    signed_at BIGINT NOT NULL
);

-- Approved means frozen, byte for byte.
CREATE FUNCTION signed_notices_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'signed_notices_are_frozen: draft a new version instead' USING ERRCODE = 'check_violation';
END;
$$;
CREATE TRIGGER signed_notices_are_frozen BEFORE UPDATE ON signed_notices FOR EACH ROW EXECUTE FUNCTION signed_notices_are_frozen();
CREATE FUNCTION signed_notices_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'signed_notices_are_kept: somebody may have it' USING ERRCODE = 'check_violation';
END;
$$;
CREATE TRIGGER signed_notices_are_kept BEFORE DELETE ON signed_notices FOR EACH ROW EXECUTE FUNCTION signed_notices_are_kept();
