-- migrate:up
-- Terminations that registry took back, each by the cycle that it came with: the word of it may be
-- here before the word of the termination itself, which comes on another topic.
CREATE TABLE taken_back (
    family uuid NOT NULL,
    cycle text NOT NULL,
    PRIMARY KEY (family, cycle)
);
GRANT SELECT, INSERT ON taken_back TO ${RUNTIME_ROLE};
ALTER TABLE standing ADD COLUMN terminated_with text;

-- migrate:down
ALTER TABLE standing DROP COLUMN terminated_with;
DROP TABLE taken_back;
