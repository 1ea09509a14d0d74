-- migrate:up
-- What Grafana may see of group sessions: counts by tahap and regency of the groups, and no family.
-- As in the reports of groups, a mark counts of a family that takes part in the tahap.
CREATE VIEW report_sessions AS
SELECT tahap, split_part(region, '.', 1) || '.' || split_part(region, '.', 2) AS regency,
       count(DISTINCT group_id) AS groups, count(DISTINCT session) AS sessions,
       count(*) FILTER (WHERE status = 'H') AS present,
       count(*) FILTER (WHERE status = 'I') AS excused,
       count(*) FILTER (WHERE status = 'A') AS absent,
       count(DISTINCT family) FILTER (WHERE status = 'H') AS reached
FROM (
    SELECT tahap, session, group_id, region FROM tahap_month, group_session
    WHERE standing = 'HELD' AND held_on >= (month || '-01')::date
      AND held_on < (month || '-01')::date + interval '1 month'
) AS held LEFT JOIN (
    SELECT tahap, session, session_attendance.family, status
    FROM session_attendance JOIN reported_row USING (family)
    WHERE disposition NOT IN ('GRADUATED_NATURAL', 'GRADUATION_PENDING')
      AND NOT EXISTS (SELECT FROM erased_family AS erased
                      WHERE erased.family = session_attendance.family)
) AS mark USING (tahap, session)
GROUP BY 1, 2;

GRANT SELECT ON report_sessions TO ${GRAFANA_ROLE};

-- As in 010_regions.sql: whom a role was granted regions is shown, through a view of the owner's,
-- the groups of these.
DO $$
DECLARE
    one record;
    nation text := '(SELECT granted_regions() && ''{*}'')';
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('group_session', nation || ' OR (SELECT granted_regions()) && holding(region)'),
        ('session_attendance', nation || ' OR EXISTS (SELECT FROM group_session'
            ' WHERE group_session.session = session_attendance.session)'),
        ('tahap_month', '(SELECT granted_regions() IS NOT NULL)')
    ) AS tables (name, shown)
    LOOP
        EXECUTE format('ALTER POLICY owned ON %I'
                       ' USING ((SELECT pg_has_role(current_user, %L, ''USAGE'')) OR %s)',
                       one.name, current_user, one.shown);
    END LOOP;
END $$;

-- migrate:down
DROP VIEW report_sessions;
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['group_session', 'session_attendance', 'tahap_month'] LOOP
        EXECUTE format('ALTER POLICY owned ON %I'
                       ' USING ((SELECT pg_has_role(current_user, %L, ''USAGE'')))',
                       one, current_user);
    END LOOP;
END $$;
