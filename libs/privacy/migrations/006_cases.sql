-- migrate:up
-- The keys of complaints' cases, in a schema that no other service reads. They are no families': what is
-- destroyed here is no erasure of a family, and complaints, which makes them, ends them itself.
CREATE SCHEMA complaints;
CREATE TABLE complaints.keys (LIKE public.keys INCLUDING ALL) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 0
);
CREATE TRIGGER keys_only_end BEFORE UPDATE OR DELETE ON complaints.keys
    FOR EACH ROW EXECUTE FUNCTION public.keys_only_end();
CREATE TRIGGER keys_stay BEFORE TRUNCATE ON complaints.keys
    FOR EACH STATEMENT EXECUTE FUNCTION public.keys_only_end();
CREATE TRIGGER keys_under_one_in_use AFTER INSERT ON complaints.keys REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION public.keys_under_one_in_use();

REVOKE ALL ON complaints.keys FROM PUBLIC;
GRANT USAGE ON SCHEMA complaints TO ${COMPLAINTS_ROLE};
GRANT SELECT, INSERT (family, version, wrapped), UPDATE (wrapped, destroyed_at)
    ON complaints.keys TO ${COMPLAINTS_ROLE};
GRANT SELECT ON retired TO ${COMPLAINTS_ROLE};

-- migrate:down
DROP SCHEMA complaints CASCADE;
