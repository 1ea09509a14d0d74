-- migrate:up
-- A list beside the last one that was frozen, as it is shown to the people who decide on it: the
-- first families of each change, and where money grows most. Its hash stands in the log.
CREATE TABLE list_diff (
    tahap text NOT NULL,
    kind  text NOT NULL,
    hash  text NOT NULL,
    shown json NOT NULL,
    PRIMARY KEY (tahap, kind)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON list_diff TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE list_diff;
