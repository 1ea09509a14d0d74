-- migrate:up
-- The keys of the families, in a database of their own: whoever reads events reads no keys, and a
-- backup of one restores nothing of the other. The three roles are placeholders.

CREATE TABLE keys (
    family       uuid NOT NULL,
    version      integer NOT NULL CHECK (version > 0),
    wrapped      bytea CHECK (octet_length(wrapped) BETWEEN 40 AND 256),  -- under the key-encryption key
    destroyed_at timestamptz,
    PRIMARY KEY (family, version),
    CONSTRAINT alive_or_destroyed CHECK (num_nonnulls(wrapped, destroyed_at) = 1)
) WITH (
    -- A destroyed key stands in a dead row until vacuum: take it away at the next round, not at 20 %.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 0
);

-- A key is destroyed once and for all, and its row stays to tell: a family whose row is gone could
-- be given a new key, and nobody would see that it had been erased. Holds for the owner as well.
CREATE FUNCTION keys_only_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'A key is destroyed, never deleted';
    END IF;
    IF OLD.wrapped IS NULL OR NEW.wrapped IS NOT NULL
       OR (NEW.family, NEW.version) IS DISTINCT FROM (OLD.family, OLD.version) THEN
        RAISE EXCEPTION 'A key may only be destroyed, once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keys_only_end BEFORE UPDATE OR DELETE ON keys
    FOR EACH ROW EXECUTE FUNCTION keys_only_end();
CREATE TRIGGER keys_stay BEFORE TRUNCATE ON keys
    FOR EACH STATEMENT EXECUTE FUNCTION keys_only_end();

REVOKE ALL ON keys FROM PUBLIC;
GRANT SELECT, INSERT (family, version, wrapped) ON keys TO ${REGISTRY_ROLE};
GRANT SELECT ON keys TO ${PAYMENTS_ROLE};
-- The eraser finds a row and ends it; it never reads a key.
GRANT SELECT (family, version, destroyed_at), UPDATE (wrapped, destroyed_at)
    ON keys TO ${ERASER_ROLE};

-- migrate:down
DROP TABLE keys;
DROP FUNCTION keys_only_end();
