-- migrate:up
-- The version of the key-encryption key under which a key is wrapped; see wrapping.py.
CREATE FUNCTION kek_of(wrapped bytea) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE get_byte(wrapped, 0)
        WHEN 2 THEN get_byte(wrapped, 1) * 256 + get_byte(wrapped, 2) ELSE 1 END
$$;
CREATE INDEX keys_kek ON keys (kek_of(wrapped), family) WHERE wrapped IS NOT NULL;

-- Up to which version a key is out of use for good.
CREATE TABLE retired (
    kind  text PRIMARY KEY,
    up_to integer NOT NULL CHECK (up_to > 0),
    at    timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION retired_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.kind <> OLD.kind OR NEW.up_to < OLD.up_to THEN
        RAISE EXCEPTION 'A retired key stays retired';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retired_stays BEFORE UPDATE OR DELETE ON retired
    FOR EACH ROW EXECUTE FUNCTION retired_stays();
CREATE TRIGGER retired_whole BEFORE TRUNCATE ON retired
    FOR EACH STATEMENT EXECUTE FUNCTION retired_stays();

-- A key is destroyed, or wrapped again under a newer key-encryption key, and nothing else.
CREATE OR REPLACE FUNCTION keys_only_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'A key is destroyed, never deleted';
    END IF;
    IF OLD.wrapped IS NULL OR kek_of(NEW.wrapped) <= kek_of(OLD.wrapped)
       OR (NEW.family, NEW.version) IS DISTINCT FROM (OLD.family, OLD.version) THEN
        RAISE EXCEPTION 'A key may only be destroyed, once, or wrapped again under a newer key';
    END IF;
    RETURN NEW;
END $$;

-- A process that kept an old file wraps nothing that nobody could open later.
CREATE FUNCTION keys_under_one_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM made JOIN retired ON kind = 'kek' AND kek_of(made.wrapped) <= up_to) THEN
        RAISE EXCEPTION 'The key-encryption key is retired';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keys_under_one_in_use AFTER INSERT ON keys REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION keys_under_one_in_use();

REVOKE ALL ON retired FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON retired TO ${REGISTRY_ROLE};
GRANT SELECT ON retired TO ${PAYMENTS_ROLE};

-- migrate:down
DROP TRIGGER keys_under_one_in_use ON keys;
DROP FUNCTION keys_under_one_in_use();
DROP TABLE retired;
DROP FUNCTION retired_stays();
DROP INDEX keys_kek;
CREATE OR REPLACE FUNCTION keys_only_end() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP FUNCTION kek_of(bytea);
