-- migrate:up
-- What figures by area count beside what stood here: access to services, failures by their age, members that
-- could not be counted, the closing date of a tahap, and whose groups and sessions they are.
ALTER TABLE evaluation ADD COLUMN health boolean;          -- reached; null where the service is for nobody
ALTER TABLE evaluation ADD COLUMN education boolean;
ALTER TABLE payment ADD COLUMN failed_at timestamptz;      -- refused, failed, withheld or deferred: said then
ALTER TABLE payment ADD COLUMN not_counted text[];         -- a reason for each member that counts not
ALTER TABLE family_group ADD COLUMN facilitator text COLLATE "C";
ALTER TABLE group_session ADD COLUMN facilitator text COLLATE "C";

-- The days of a tahap, which whoever reads may know, as tahap_month.
CREATE TABLE tahap_day (
    tahap        text PRIMARY KEY,
    closing_date date NOT NULL
);
INSERT INTO tahap_day
SELECT DISTINCT ON (tahap) tahap, (body ->> 'closing_date')::date FROM tahap_event
WHERE type = 'ClosingAnnounced' ORDER BY tahap, position DESC;

CREATE INDEX payment_of_region ON payment (tahap, region COLLATE "C", family);

GRANT SELECT, INSERT, UPDATE ON tahap_day TO ${RUNTIME_ROLE};
ALTER TABLE tahap_day ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY written ON tahap_day TO ${RUNTIME_ROLE} USING (true);
CREATE POLICY read ON tahap_day FOR SELECT TO ${READER_ROLE}
    USING ((SELECT asked_regions() IS NOT NULL));
DO $$ BEGIN
    EXECUTE format('CREATE POLICY owned ON tahap_day TO CURRENT_USER USING ('
                   '(SELECT pg_has_role(current_user, %L, ''USAGE''))'
                   ' OR (SELECT granted_regions() IS NOT NULL))', current_user);
END $$;
GRANT SELECT ON tahap_day TO ${READER_ROLE};

-- migrate:down
DROP INDEX payment_of_region;
DROP TABLE tahap_day;
ALTER TABLE group_session DROP COLUMN facilitator;
ALTER TABLE family_group DROP COLUMN facilitator;
ALTER TABLE payment DROP COLUMN not_counted, DROP COLUMN failed_at;
ALTER TABLE evaluation DROP COLUMN education, DROP COLUMN health;
