-- migrate:up
-- What waits for people: cases and appeals, holds by two people, proposals. A row is what its latest message
-- says; of a case each step is kept, so that it is known as it stood on any day.
CREATE TABLE complaint_case (
    case_id     uuid PRIMARY KEY,
    family      uuid,                          -- null where it is of none
    region      text COLLATE "C" NOT NULL,
    category    text NOT NULL,
    channel     text NOT NULL,
    received_on date NOT NULL
);

CREATE TABLE case_step (
    case_id  uuid NOT NULL,
    position bigint NOT NULL,                  -- of its message: the order of the steps
    on_day   date NOT NULL,
    standing text NOT NULL,                    -- OPEN, PAUSED, LINKED, RESOLVED, CLOSED from this day
    level    text,                             -- the office that has it; null where the step says nothing
    due_on   date,                             -- as level
    outcome  text,                             -- of RESOLVED
    PRIMARY KEY (case_id, position)
);

CREATE TABLE appeal (
    case_id     uuid PRIMARY KEY,
    family      uuid NOT NULL,
    tahap       text NOT NULL,
    effect      text NOT NULL,                 -- what it is against: HOLD, CUT, TERMINATION
    received_on date,
    outcome     text,                          -- null while it is open
    decided_on  date
);

CREATE TABLE administrative_hold (
    family     uuid NOT NULL,
    number     integer NOT NULL,
    kind       text,
    reason     text,
    from_tahap text,
    last_day   date,
    placed_at  timestamptz,
    ended      text,                           -- why it ended; null while it stands
    PRIMARY KEY (family, number)
);

-- What one person proposed and another has to decide; a later number of the same tahap takes its place.
CREATE TABLE proposal (
    kind        text NOT NULL CHECK (kind IN ('CORRECTION', 'REOPENING')),
    family      uuid NOT NULL,
    tahap       text NOT NULL,
    number      integer NOT NULL,
    result      text,
    proposed_at timestamptz,
    standing    text NOT NULL,                 -- WAITING, APPROVED, REJECTED, WITHDRAWN
    PRIMARY KEY (kind, family, tahap, number)
);

CREATE INDEX complaint_case_of_region ON complaint_case (region, case_id);

-- Where a family lives today, for who may see that region, else null: it tells nobody more than they see.
CREATE FUNCTION home_within(of_family uuid) RETURNS text
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT region
    FROM (SELECT lives(of_family, (now() AT TIME ZONE 'UTC')::date::text)) AS home (region)
    WHERE asked_regions() && ('{*}' || holding(region));
$$;
REVOKE EXECUTE ON FUNCTION home_within(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION home_within(uuid) TO ${READER_ROLE};

GRANT SELECT, INSERT, UPDATE ON complaint_case, case_step, appeal TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON administrative_hold, proposal TO ${RUNTIME_ROLE};

-- As in 010_regions.sql: a case is seen by who may see its region, its steps and appeal with it; a hold or a
-- proposal by who may see where the family lives today.
DO $$
DECLARE
    one record;
    nation text := '(SELECT asked_regions() && ''{*}'')';
    of_case text := ' OR EXISTS (SELECT FROM complaint_case WHERE complaint_case.case_id = %I.case_id)';
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('complaint_case', nation || ' OR (SELECT asked_regions()) && holding(region)'),
        ('case_step', nation || format(of_case, 'case_step')),
        ('appeal', nation || format(of_case, 'appeal')),
        ('administrative_hold', nation || ' OR home_within(family) IS NOT NULL'),
        ('proposal', nation || ' OR home_within(family) IS NOT NULL')
    ) AS tables (name, shown)
    LOOP
        EXECUTE format('ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY,'
                       ' FORCE ROW LEVEL SECURITY', one.name);
        EXECUTE format('CREATE POLICY written ON %I TO ${RUNTIME_ROLE} USING (true)', one.name);
        EXECUTE format('CREATE POLICY read ON %I FOR SELECT TO ${READER_ROLE} USING (%s)',
                       one.name, one.shown);
        EXECUTE format('CREATE POLICY owned ON %I TO CURRENT_USER'
                       ' USING ((SELECT pg_has_role(current_user, %L, ''USAGE'')))',
                       one.name, current_user);
    END LOOP;
END $$;
GRANT SELECT ON complaint_case, case_step, appeal, administrative_hold, proposal TO ${READER_ROLE};

-- migrate:down
DROP TABLE proposal, administrative_hold, appeal, case_step, complaint_case;
DROP FUNCTION home_within;
