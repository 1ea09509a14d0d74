-- migrate:up
-- Re-openings that wait for a second person; each row follows from the family's stream.
CREATE TABLE reopening_open (
    family uuid NOT NULL,
    tahap  text NOT NULL,
    PRIMARY KEY (family, tahap)
);

GRANT SELECT, INSERT, DELETE ON reopening_open TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE reopening_open;
