-- migrate:up
-- Figures by area, summed ahead. What a village's sums are follows from its rows and nothing else: they are
-- replaced by what tables/models.py counts there, never moved by a difference. Until then the village is
-- named in `unsummed`, by triggers in the transaction that changed a row, and whoever reads counts its rows.

-- `sums` begins with the number of rows counted; the model's columns follow in their order.
CREATE TABLE area_sum (
    model  text COLLATE "C" NOT NULL,        -- and behind a colon which part of it
    tahap  text COLLATE "C" NOT NULL,
    grain  text NOT NULL CHECK (grain IN ('VILLAGE', 'DISTRICT')),
    region text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,
    day    date NOT NULL,                    -- of what has an age; else the first day there is
    sums   bigint[] NOT NULL,
    PRIMARY KEY (model, tahap, grain, region, key, day)
);
CREATE INDEX area_sum_of_region ON area_sum (tahap, grain, region);

-- A row for each time that something changed there, never looked up by who writes: no writer waits for another.
CREATE TABLE unsummed (
    tahap  text COLLATE "C" NOT NULL,
    region text COLLATE "C" NOT NULL
);
CREATE INDEX unsummed_of_tahap ON unsummed (tahap, region);

-- By which definition of the models the sums were made: others than those count rows.
CREATE TABLE summed_by (
    definition text PRIMARY KEY
);

-- What a village's rows are found by; the region first, so that nobody looks there for the families of a tahap.
DROP INDEX payment_of_region;
CREATE INDEX payment_of_region ON payment (region COLLATE "C", tahap);
CREATE INDEX designation_of_region ON designation (region COLLATE "C", tahap);
CREATE INDEX graduation_of_region ON graduation (region COLLATE "C", tahap);
CREATE INDEX family_group_of_region ON family_group (region);
CREATE INDEX group_session_of_region ON group_session (region, held_on);
CREATE INDEX session_attendance_of_family ON session_attendance (family, session);

-- Where a family has a row of a tahap; a payment may be known before its region is. Without a condition, by
-- which each part would be read whole.
CREATE VIEW counted_at WITH (security_invoker = true) AS
SELECT tahap, family, region FROM payment
UNION ALL SELECT tahap, family, region FROM graduation
UNION ALL SELECT tahap, family, region FROM without_category;

-- Planned once a session, maybe on tables that are still empty: so it is said how, an index for every row.
-- Families that get or lose a row of a tahap: their other rows may count for another then, their group has one
-- more, and money that moved at the tahap counts elsewhere.
CREATE FUNCTION moved_at(payments uuid[], tahaps text[], families uuid[], regions text[])
RETURNS TABLE (tahap text, region text) STABLE LANGUAGE sql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    WITH moved AS (
        SELECT * FROM unnest(payments, tahaps, families, regions) AS moved (payment, tahap, family, region)
    ), at AS (
        SELECT tahap, region FROM moved
        UNION SELECT moved.tahap, other.region FROM moved JOIN counted_at AS other
            ON other.tahap = moved.tahap AND other.family = moved.family
        UNION SELECT moved.tahap, led.region FROM moved JOIN family_group AS led USING (family)
        UNION SELECT moved.tahap, payment.region FROM moved JOIN movement
            ON at_tahap = moved.tahap AND movement.family = moved.family
            JOIN payment ON payment.payment = movement.payment
        UNION SELECT at_tahap, moved.region FROM moved JOIN movement USING (payment)
    )
    SELECT tahap, region FROM at WHERE tahap IS NOT NULL AND region IS NOT NULL;
$$;

CREATE FUNCTION unsum_payments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO unsummed SELECT * FROM moved_at(
            ARRAY(SELECT payment FROM new_rows), ARRAY(SELECT tahap FROM new_rows),
            ARRAY(SELECT family FROM new_rows), ARRAY(SELECT region FROM new_rows));
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO unsummed SELECT * FROM moved_at(
            ARRAY(SELECT payment FROM old_rows), ARRAY(SELECT tahap FROM old_rows),
            ARRAY(SELECT family FROM old_rows), ARRAY(SELECT region FROM old_rows));
    ELSE
        INSERT INTO unsummed SELECT DISTINCT tahap, region FROM new_rows
        WHERE tahap IS NOT NULL AND region IS NOT NULL;
        WITH was AS (
            SELECT payment, tahap, family, region, amount IS NULL, deferred IS NULL FROM old_rows
        ), becomes AS (
            SELECT payment, tahap, family, region, amount IS NULL, deferred IS NULL FROM new_rows
        ), moved AS (
            (TABLE was EXCEPT TABLE becomes) UNION ALL (TABLE becomes EXCEPT TABLE was)
        )
        INSERT INTO unsummed SELECT at.* FROM (
            SELECT array_agg(payment), array_agg(tahap), array_agg(family), array_agg(region) FROM moved
        ) AS moved (payments, tahaps, families, regions),
            LATERAL moved_at(payments, tahaps, families, regions) AS at;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION unsum_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO unsummed SELECT * FROM moved_at(
            '{}', ARRAY(SELECT tahap FROM new_rows),
            ARRAY(SELECT family FROM new_rows), ARRAY(SELECT region FROM new_rows));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO unsummed SELECT * FROM moved_at(
            '{}', ARRAY(SELECT tahap FROM old_rows),
            ARRAY(SELECT family FROM old_rows), ARRAY(SELECT region FROM old_rows));
    END IF;
    RETURN NULL;
END $$;

-- What is said of a family in a tahap counts where its rows of that tahap are.
CREATE FUNCTION unsum_families() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO unsummed SELECT * FROM (
            SELECT DISTINCT said.tahap, region FROM new_rows AS said
            JOIN counted_at ON counted_at.tahap = said.tahap AND counted_at.family = said.family
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    ELSE
        INSERT INTO unsummed SELECT * FROM (
            SELECT DISTINCT said.tahap, region FROM old_rows AS said
            JOIN counted_at ON counted_at.tahap = said.tahap AND counted_at.family = said.family
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- Money that moved at a tahap counts where the family has a row then, else where its payment was.
CREATE FUNCTION unsum_movements() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT at_tahap, counted_at.region FROM new_rows
        JOIN counted_at ON counted_at.tahap = at_tahap AND counted_at.family = new_rows.family
        UNION SELECT at_tahap, payment.region FROM new_rows JOIN payment USING (payment)
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION unsum_designations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO unsummed SELECT * FROM (
            SELECT DISTINCT tahap, region FROM old_rows
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO unsummed SELECT * FROM (
            SELECT DISTINCT tahap, region FROM new_rows
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- A mark counts in the tahap of its session's month, where the family has its rows and its group is.
CREATE FUNCTION unsum_sessions(changed text[]) RETURNS void LANGUAGE sql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    WITH at AS (
        SELECT tahap, session FROM unnest(changed) AS named (session)
        JOIN group_session USING (session)
        JOIN tahap_month ON month = to_char(held_on, 'YYYY-MM')
    ), marked AS (
        SELECT tahap, family FROM at JOIN session_attendance USING (session)
    )
    INSERT INTO unsummed SELECT * FROM (
        SELECT tahap, region FROM at JOIN group_session USING (session)
        UNION SELECT tahap, region FROM marked JOIN counted_at USING (tahap, family)
        UNION SELECT tahap, region FROM marked JOIN family_group USING (family)
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
$$;

CREATE FUNCTION unsum_marks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM unsum_sessions((SELECT array_agg(DISTINCT session) FROM new_rows));
    RETURN NULL;
END $$;

-- A session that was held on another day, or elsewhere, leaves the tahap and the village that it was of.
CREATE FUNCTION unsum_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM unsum_sessions((SELECT array_agg(DISTINCT session) FROM new_rows));
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO unsummed SELECT * FROM (
            SELECT tahap, region FROM old_rows JOIN tahap_month ON month = to_char(held_on, 'YYYY-MM')
            UNION SELECT tahap_month.tahap, counted_at.region FROM old_rows
            JOIN tahap_month ON month = to_char(held_on, 'YYYY-MM')
            JOIN session_attendance USING (session)
            JOIN counted_at ON counted_at.tahap = tahap_month.tahap
            AND counted_at.family = session_attendance.family
            UNION SELECT tahap_month.tahap, family_group.region FROM old_rows
            JOIN tahap_month ON month = to_char(held_on, 'YYYY-MM')
            JOIN session_attendance USING (session)
            JOIN family_group ON family_group.family = session_attendance.family
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- A family's group counts in every tahap in which the family has a row.
CREATE FUNCTION unsum_groups() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT DISTINCT tahap, led.region
        FROM new_rows AS led JOIN counted_at USING (family)
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO unsummed SELECT * FROM (
            SELECT DISTINCT tahap, led.region
            FROM old_rows AS led JOIN counted_at USING (family)
        ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- A case counts in every tahap that closes on the day of its step or later.
CREATE FUNCTION unsum_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT DISTINCT tahap_day.tahap, region FROM new_rows, tahap_day
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    RETURN NULL;
END $$;
CREATE FUNCTION unsum_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT DISTINCT tahap_day.tahap, region
        FROM new_rows JOIN complaint_case USING (case_id) JOIN tahap_day ON closing_date >= on_day
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    RETURN NULL;
END $$;

-- A tahap whose months or day are said: whatever counts by them, everywhere.
CREATE FUNCTION unsum_tahap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT changed.tahap, at.region FROM (SELECT DISTINCT tahap FROM changed_rows) AS changed,
        LATERAL (SELECT region FROM counted_at WHERE counted_at.tahap = changed.tahap
        UNION SELECT region FROM family_group
        UNION SELECT region FROM group_session
        UNION SELECT region FROM complaint_case) AS at
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION unsum_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsummed SELECT * FROM (
        SELECT tahap, region FROM new_rows JOIN counted_at USING (family)
        UNION SELECT tahap_day.tahap, region FROM new_rows JOIN family_group USING (family), tahap_day
    ) AS at (tahap, region) WHERE tahap IS NOT NULL AND region IS NOT NULL;
    RETURN NULL;
END $$;

DO $$
DECLARE
    one record;
    operation text;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('payment', 'unsum_payments', '{INSERT,UPDATE,DELETE}'::text[]),
        ('graduation', 'unsum_rows', '{INSERT,UPDATE,DELETE}'),
        ('without_category', 'unsum_rows', '{INSERT,UPDATE,DELETE}'),
        ('evaluation', 'unsum_families', '{INSERT,UPDATE,DELETE}'),
        ('investigation', 'unsum_families', '{INSERT,UPDATE}'),
        ('movement', 'unsum_movements', '{INSERT,UPDATE}'),
        ('designation', 'unsum_designations', '{INSERT,UPDATE,DELETE}'),
        ('session_attendance', 'unsum_marks', '{INSERT,UPDATE}'),
        ('group_session', 'unsum_held', '{INSERT,UPDATE}'),
        ('family_group', 'unsum_groups', '{INSERT,UPDATE}'),
        ('complaint_case', 'unsum_cases', '{INSERT}'),
        ('case_step', 'unsum_steps', '{INSERT}'),
        ('erased_family', 'unsum_erased', '{INSERT}')
    ) AS watched (name, does, operations)
    LOOP
        FOREACH operation IN ARRAY one.operations LOOP
            EXECUTE format(
                'CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                'unsum_at_' || lower(operation), operation, one.name,
                CASE operation WHEN 'INSERT' THEN 'NEW TABLE AS new_rows'
                               WHEN 'DELETE' THEN 'OLD TABLE AS old_rows'
                               ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows' END,
                one.does);
        END LOOP;
    END LOOP;
    FOR one IN SELECT * FROM (VALUES ('tahap_month', 'INSERT', 'NEW'), ('tahap_month', 'DELETE', 'OLD'),
                                     ('tahap_day', 'INSERT', 'NEW'), ('tahap_day', 'UPDATE', 'NEW'))
        AS watched (name, operation, side)
    LOOP
        EXECUTE format(
            'CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s TABLE AS changed_rows'
            ' FOR EACH STATEMENT EXECUTE FUNCTION unsum_tahap()',
            'unsum_at_' || lower(one.operation), one.operation, one.name, one.side);
    END LOOP;
END $$;

GRANT SELECT, INSERT, DELETE ON area_sum, unsummed, summed_by TO ${RUNTIME_ROLE};
GRANT SELECT ON counted_at TO ${RUNTIME_ROLE};

-- As in 010_regions.sql: sums of a village or a district are seen by who may see it.
DO $$
DECLARE
    one text;
    shown text := '(SELECT %1$s && ''{*}'') OR (SELECT %1$s) && holding(region)';
BEGIN
    FOREACH one IN ARRAY ARRAY['area_sum', 'unsummed'] LOOP
        EXECUTE format('ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', one);
        EXECUTE format('CREATE POLICY written ON %I TO ${RUNTIME_ROLE} USING (true)', one);
        EXECUTE format('CREATE POLICY read ON %I FOR SELECT TO ${READER_ROLE} USING (%s)',
                       one, format(shown, 'asked_regions()'));
        EXECUTE format('CREATE POLICY owned ON %I TO CURRENT_USER'
                       ' USING ((SELECT pg_has_role(current_user, %L, ''USAGE'')) OR %s)',
                       one, current_user, format(shown, 'granted_regions()'));
    END LOOP;
END $$;
ALTER TABLE summed_by ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY written ON summed_by TO ${RUNTIME_ROLE} USING (true);
CREATE POLICY read ON summed_by FOR SELECT TO ${READER_ROLE} USING ((SELECT asked_regions() IS NOT NULL));
DO $$ BEGIN
    EXECUTE format('CREATE POLICY owned ON summed_by TO CURRENT_USER USING ('
                   '(SELECT pg_has_role(current_user, %L, ''USAGE''))'
                   ' OR (SELECT granted_regions() IS NOT NULL))', current_user);
END $$;
GRANT SELECT ON area_sum, unsummed, summed_by TO ${READER_ROLE};

-- migrate:down
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT tgname, tgrelid::regclass AS of_table FROM pg_trigger
               WHERE tgname LIKE 'unsum\_at\_%' AND tgrelid::regclass::text NOT LIKE '%.%' LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, one.of_table);
    END LOOP;
END $$;
DROP FUNCTION unsum_payments, moved_at, unsum_rows, unsum_families, unsum_movements, unsum_designations, unsum_marks, unsum_held,
    unsum_groups, unsum_cases, unsum_steps, unsum_tahap, unsum_erased, unsum_sessions;
DROP VIEW counted_at;
DROP INDEX session_attendance_of_family, group_session_of_region, family_group_of_region,
    graduation_of_region, designation_of_region;
DROP INDEX payment_of_region;
CREATE INDEX payment_of_region ON payment (tahap, region COLLATE "C", family);
DROP TABLE summed_by, unsummed, area_sum;
