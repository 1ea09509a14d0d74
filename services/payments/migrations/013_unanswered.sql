-- migrate:up
-- The lines of a run of whose accounts the treasury says neither yes nor no, as it last answered.
CREATE TABLE unanswered_line (
    tahap   text NOT NULL,
    kind    text NOT NULL,
    payment uuid NOT NULL,
    answer  text,               -- its later word about a line that two people had let go by then
    PRIMARY KEY (tahap, kind, payment)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON unanswered_line TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE unanswered_line;
