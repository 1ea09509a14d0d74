-- migrate:up
-- Families whose investigation waits for a person; each row follows from the family's stream.
CREATE TABLE investigation_open (
    family uuid PRIMARY KEY,
    tahap  text NOT NULL     -- at which it opened
);
CREATE INDEX investigation_open_at ON investigation_open (tahap, family);

GRANT SELECT, INSERT, UPDATE, DELETE ON investigation_open TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE investigation_open;
