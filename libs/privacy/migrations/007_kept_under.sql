-- migrate:up
-- The version that each key is under, of families and of cases, without whose it is: before a version may
-- go, registry counts what is still under it, and what it may not read counts too.
CREATE VIEW kept_under AS
    SELECT public.kek_of(wrapped) AS kek FROM public.keys WHERE wrapped IS NOT NULL
    UNION ALL
    SELECT public.kek_of(wrapped) FROM complaints.keys WHERE wrapped IS NOT NULL;
REVOKE ALL ON kept_under FROM PUBLIC;
GRANT SELECT ON kept_under TO ${REGISTRY_ROLE};

-- migrate:down
DROP VIEW kept_under;
