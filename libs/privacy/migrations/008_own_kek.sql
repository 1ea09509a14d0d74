-- migrate:up
-- Cases' keys are wrapped under a key-encryption key of complaints' own, whose versions are counted and
-- retired apart from registry's. What is retired so far was the key of both.
CREATE TABLE complaints.retired (LIKE public.retired INCLUDING ALL);
INSERT INTO complaints.retired SELECT kind, up_to, at FROM public.retired WHERE kind = 'kek';
CREATE TRIGGER retired_stays BEFORE UPDATE OR DELETE ON complaints.retired
    FOR EACH ROW EXECUTE FUNCTION public.retired_stays();
CREATE TRIGGER retired_whole BEFORE TRUNCATE ON complaints.retired
    FOR EACH STATEMENT EXECUTE FUNCTION public.retired_stays();

CREATE FUNCTION complaints.keys_under_one_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM made JOIN complaints.retired
               ON kind = 'kek' AND public.kek_of(made.wrapped) <= up_to) THEN
        RAISE EXCEPTION 'The key-encryption key is retired';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER keys_under_one_in_use ON complaints.keys;
CREATE TRIGGER keys_under_one_in_use AFTER INSERT ON complaints.keys REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION complaints.keys_under_one_in_use();

REVOKE ALL ON complaints.retired FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON complaints.retired TO ${COMPLAINTS_ROLE};
REVOKE SELECT ON public.retired FROM ${COMPLAINTS_ROLE};
DROP VIEW public.kept_under;

-- migrate:down
CREATE VIEW public.kept_under AS
    SELECT public.kek_of(wrapped) AS kek FROM public.keys WHERE wrapped IS NOT NULL
    UNION ALL
    SELECT public.kek_of(wrapped) FROM complaints.keys WHERE wrapped IS NOT NULL;
REVOKE ALL ON public.kept_under FROM PUBLIC;
GRANT SELECT ON public.kept_under TO ${REGISTRY_ROLE};
GRANT SELECT ON public.retired TO ${COMPLAINTS_ROLE};
DROP TRIGGER keys_under_one_in_use ON complaints.keys;
DROP FUNCTION complaints.keys_under_one_in_use();
CREATE TRIGGER keys_under_one_in_use AFTER INSERT ON complaints.keys REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION public.keys_under_one_in_use();
DROP TABLE complaints.retired;
