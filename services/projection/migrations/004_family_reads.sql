-- migrate:up
-- Who has looked into which family's life, for what the law lets the family ask.
CREATE TABLE family_read (
    at     timestamptz NOT NULL,
    reader text NOT NULL,
    family uuid NOT NULL,
    tahap  text                     -- whose amount was explained; null for the whole timeline
);

GRANT SELECT, INSERT ON family_read TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE family_read;
