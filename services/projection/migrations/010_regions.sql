-- migrate:up
-- A second wall behind the one in http/: a row of a family is seen only by who may see its region, whatever
-- a query forgets. Who writes sees all. Who reads says in each transaction for whom (libs/chassis/reading.py):
-- pkh.regions, and pkh.family where it is about one; unsaid, nothing is seen. Who comes through a view of the
-- owner's sees the sums of the regions that reader_region gives to the role that has logged in.

-- Regions of roles that may read sums: written by the owner alone.
CREATE TABLE reader_region (
    role   text NOT NULL,
    region text NOT NULL,   -- a dotted code, province to village; * is the nation
    PRIMARY KEY (role, region)
);

-- All codes that hold a region, itself among them: those of its province, regency and district.
CREATE FUNCTION holding(region text) RETURNS text[] IMMUTABLE LANGUAGE sql
RETURN ARRAY[left(region, 2), left(region, 5), left(region, 8), region];

CREATE FUNCTION asked_regions() RETURNS text[] STABLE LANGUAGE sql
RETURN string_to_array(nullif(current_setting('pkh.regions', true), ''), ',');

CREATE FUNCTION granted_regions() RETURNS text[]
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT array_agg(region) FROM reader_region WHERE role = session_user;
$$;

-- Where a family lives on a day (YYYY-MM-DD); null where nothing is known of it, or it is erased.
CREATE FUNCTION lives(of_family uuid, on_day text) RETURNS text STABLE LANGUAGE sql AS $$
    -- The latest move, as the registry orders moves. A log of the time before facts were told has
    -- none: there the latest entitlement knows best, then the judgement.
    SELECT coalesce(
        (SELECT body ->> 'region'
         FROM timeline,
              (VALUES (1, 'FamilyMoved'), (2, 'PaymentEntitled'), (3, 'FamilyRegistered'))
                  AS known (rank, kind)
         WHERE family = of_family AND type = kind
           AND (type <> 'FamilyMoved' OR body ->> 'effective_on' <= on_day)
         ORDER BY rank, body ->> 'effective_on' DESC, body ->> 'reported_on' DESC,
                  body ->> 'tahap' DESC, position DESC
         LIMIT 1),
        (SELECT region FROM designation WHERE family = of_family))
    WHERE NOT EXISTS (SELECT FROM erased_family WHERE family = of_family);
$$;

-- The family that the transaction is about, if it lives in the transaction's regions today. It looks
-- where the reader may not yet; so nobody else may call it, who could try regions one by one.
CREATE FUNCTION asked_family() RETURNS uuid
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT family
    FROM (SELECT nullif(current_setting('pkh.family', true), '')::uuid) AS asked (family)
    WHERE asked_regions()
          && ('{*}' || holding(lives(family, (now() AT TIME ZONE 'UTC')::date::text)));
$$;
REVOKE EXECUTE ON FUNCTION asked_family() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION asked_family() TO ${READER_ROLE};

-- Forced, so that it counts for the owner too: through a view of the owner's, or one that forgets
-- security_invoker, nobody sees more. The owner itself, and what works as the owner, sees all.
DO $$
DECLARE
    one record;
    -- By what the regions are: asked for, or granted. The nation is told apart once and not row by row.
    nation text := '(SELECT %1$s && ''{*}'')';
    region text := nation || ' OR (SELECT %1$s) && holding(region)';
    -- Of a row that names no region: whoever sees the family's row of the tahap.
    tahap text := nation ||
        ' OR EXISTS (SELECT FROM payment WHERE payment.tahap = %2$I.%3$I'
        '            AND payment.family = %2$I.family)'
        ' OR EXISTS (SELECT FROM graduation WHERE graduation.tahap = %2$I.%3$I'
        '            AND graduation.family = %2$I.family)'
        ' OR EXISTS (SELECT FROM without_category AS without'
        '            WHERE without.tahap = %2$I.%3$I AND without.family = %2$I.family)';
    family text := 'family = (SELECT asked_family())';
    -- Some documents of a tahap name families of other regions.
    document text := '(SELECT asked_family()) IS NOT NULL'
        ' AND type NOT IN (''FamilyAwaited'', ''LinesDeferred'', ''SupplementaryOpened'')';
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('designation', region, family),
        ('graduation', region, family),
        ('without_category', region, family),
        ('payment', region, family),
        ('evaluation', format(tahap, '%1$s', 'evaluation', 'tahap'), family),
        ('investigation', format(tahap, '%1$s', 'investigation', 'tahap'), family),
        ('movement', format(tahap, '%1$s', 'movement', 'at_tahap'), family),
        ('timeline', nation, family),
        ('tahap_event', nation, document),
        ('erased_family', nation, 'true'),  -- whoever reads must be able to leave the erased out
        ('family_read', 'false', 'false')
    ) AS tables (name, within, of_one)
    LOOP
        EXECUTE format('ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY,'
                       ' FORCE ROW LEVEL SECURITY', one.name);
        EXECUTE format('CREATE POLICY written ON %I TO ${RUNTIME_ROLE} USING (true)', one.name);
        EXECUTE format('CREATE POLICY read ON %I FOR SELECT TO ${READER_ROLE} USING (%s OR %s)',
                       one.name, format(one.within, 'asked_regions()'), one.of_one);
        EXECUTE format('CREATE POLICY owned ON %I TO CURRENT_USER'
                       ' USING ((SELECT pg_has_role(current_user, %L, ''USAGE'')) OR %s)',
                       one.name, current_user, format(one.within, 'granted_regions()'));
    END LOOP;
END $$;

-- A tahap's rows are seen as their tables are. What is summed for others stands on a view of its own, which
-- reads as its owner does and is nobody else's.
ALTER VIEW tahap_row SET (security_invoker = true);
ALTER VIEW entitlement SET (security_invoker = true);
DROP VIEW report_payments, report_failures;
DO $$ BEGIN
    EXECUTE 'CREATE VIEW reported_row AS ' || pg_get_viewdef('tahap_row'::regclass);
END $$;

-- A regency is the first two parts of a region's code.
CREATE VIEW report_payments AS
SELECT tahap, split_part(region, '.', 1) || '.' || split_part(region, '.', 2) AS regency,
       disposition,
       count(*) AS families,
       sum(amount)::bigint AS rupiah,
       sum(released)::bigint AS released,
       sum(returned)::bigint AS returned,
       sum(cut)::bigint AS cut
FROM reported_row GROUP BY 1, 2, 3;

CREATE VIEW report_failures AS
SELECT tahap, reason, count(*) AS families, sum(amount)::bigint AS rupiah
FROM (SELECT tahap, amount,
             CASE WHEN account_check NOT IN ('', 'OK') THEN account_check
                  WHEN transfer NOT IN ('', 'CREDITED') THEN transfer
                  WHEN disposition = 'NO_VALID_PAYEE' THEN 'NO_VALID_PAYEE' END AS reason
      FROM reported_row) AS each
WHERE reason IS NOT NULL GROUP BY 1, 2;

GRANT SELECT ON report_payments, report_failures TO ${GRAFANA_ROLE};
INSERT INTO reader_region VALUES (trim('"' FROM '${GRAFANA_ROLE}'), '*');

GRANT SELECT ON designation, graduation, without_category, evaluation, payment, movement, investigation,
    timeline, tahap_event, tahap_terms, erased_family, entitlement, tahap_row
    TO ${READER_ROLE};

-- migrate:down
DROP VIEW report_payments, report_failures, reported_row;
ALTER VIEW entitlement RESET (security_invoker);
ALTER VIEW tahap_row RESET (security_invoker);
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT polname, polrelid::regclass AS of_table FROM pg_policy LOOP
        EXECUTE format('DROP POLICY %I ON %s', one.polname, one.of_table);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY',
                       one.of_table);
    END LOOP;
END $$;
REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM ${READER_ROLE};
DROP FUNCTION asked_family, lives, granted_regions, asked_regions, holding;
DROP TABLE reader_region;
