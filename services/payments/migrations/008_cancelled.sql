-- migrate:up
-- The revision of its announcement that an open list is joined for: lines of an earlier one, which
-- was cancelled, may still come.
ALTER TABLE list_open ADD COLUMN revision integer NOT NULL DEFAULT 1;

-- Cancelled revisions of tahaps whose lines are not all taken back yet.
CREATE TABLE cancellation_open (
    tahap    text PRIMARY KEY,
    revision integer NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON cancellation_open TO ${RUNTIME_ROLE};
GRANT DELETE ON list_line, list_count, list_proof TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE DELETE ON list_line, list_count, list_proof FROM ${RUNTIME_ROLE};
DROP TABLE cancellation_open;
ALTER TABLE list_open DROP COLUMN revision;
