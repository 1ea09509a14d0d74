-- migrate:up
-- Rows of a token key that is out of use serve nobody but who has that key: they lead to first tokens.
CREATE INDEX stands_for_version ON stands_for (version);

CREATE FUNCTION tokens_end_with_their_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM retired WHERE kind = 'token' AND OLD.version <= up_to) THEN
        RAISE EXCEPTION 'A token stays as long as its key may be in use';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER tokens_end_with_their_key BEFORE DELETE ON stands_for
    FOR EACH ROW EXECUTE FUNCTION tokens_end_with_their_key();
GRANT DELETE ON stands_for TO ${REGISTRY_ROLE};

-- migrate:down
REVOKE DELETE ON stands_for FROM ${REGISTRY_ROLE};
DROP TRIGGER tokens_end_with_their_key ON stands_for;
DROP FUNCTION tokens_end_with_their_key();
DROP INDEX stands_for_version;
