-- migrate:up
-- Tahaps that are cancelled, and up to which revision of their rosters cycles are withdrawn.
CREATE TABLE withdrawal_open (
    tahap    text PRIMARY KEY,
    revision integer NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON withdrawal_open TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE withdrawal_open;
