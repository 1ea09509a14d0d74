-- migrate:up
-- Group sessions, and to which group each family belongs; a row is what its latest message says.
CREATE TABLE family_group (
    family   uuid PRIMARY KEY,
    group_id text COLLATE "C" NOT NULL,
    region   text COLLATE "C" NOT NULL,      -- the group's village
    position bigint NOT NULL                 -- of the message: an older one changes nothing
);

CREATE TABLE group_session (
    session  text COLLATE "C" PRIMARY KEY,
    group_id text COLLATE "C",
    region   text COLLATE "C",               -- the group's village
    held_on  date,
    module   text COLLATE "C",
    number   integer,
    sessions integer,                        -- of the module
    rank     integer,                        -- of the module among others
    standing text NOT NULL                   -- HELD or CANCELLED
);
CREATE INDEX group_session_on ON group_session (held_on);

CREATE TABLE session_attendance (
    session text COLLATE "C" NOT NULL,
    family  uuid NOT NULL,
    status  text NOT NULL,                   -- H present, I excused, A absent
    PRIMARY KEY (session, family)
);

-- The months of a tahap, which whoever reads may know: the document that says them is the nation's.
CREATE TABLE tahap_month (
    tahap text NOT NULL,
    month text NOT NULL,                     -- YYYY-MM
    PRIMARY KEY (tahap, month)
);
INSERT INTO tahap_month
SELECT tahap, json_array_elements_text(body -> 'months') FROM (
    SELECT DISTINCT ON (tahap) tahap, body FROM tahap_event
    WHERE type = 'ClosingAnnounced' ORDER BY tahap, position DESC
) AS announced;

GRANT SELECT, INSERT, UPDATE ON family_group, group_session, session_attendance
    TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, DELETE ON tahap_month TO ${RUNTIME_ROLE};

-- As in 010_regions.sql: a group's rows are seen by who may see its village, marks with their session.
DO $$
DECLARE
    one record;
    nation text := '(SELECT asked_regions() && ''{*}'')';
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('family_group', nation || ' OR (SELECT asked_regions()) && holding(region)'),
        ('group_session', nation || ' OR (SELECT asked_regions()) && holding(region)'),
        ('session_attendance', nation || ' OR EXISTS (SELECT FROM group_session'
            ' WHERE group_session.session = session_attendance.session)'),
        ('tahap_month', '(SELECT asked_regions() IS NOT NULL)')
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
GRANT SELECT ON family_group, group_session, session_attendance, tahap_month TO ${READER_ROLE};

-- migrate:down
DROP TABLE tahap_month, session_attendance, group_session, family_group;
