-- migrate:up
-- When a case ended, from which the days run that its words are kept; and which cases are erased.
ALTER TABLE case_standing
    ADD COLUMN ended_on date,                                  -- null while open, and of before this
    ADD COLUMN erased   boolean NOT NULL DEFAULT false;
CREATE INDEX case_ended ON case_standing (ended_on, case_id) WHERE status = 'RESOLVED' AND NOT erased;
CREATE INDEX case_end_undated ON case_standing (case_id)
    WHERE status = 'RESOLVED' AND ended_on IS NULL;

-- Erased cases, in the transaction of their events; their keys stand in another database.
CREATE TABLE erased_case (
    case_id   uuid PRIMARY KEY,
    destroyed boolean NOT NULL DEFAULT false                   -- its key
);
CREATE INDEX erased_case_left ON erased_case (case_id) WHERE NOT destroyed;

GRANT SELECT, INSERT, UPDATE ON erased_case TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE erased_case;
DROP INDEX case_ended, case_end_undated;
ALTER TABLE case_standing DROP COLUMN ended_on, DROP COLUMN erased;
