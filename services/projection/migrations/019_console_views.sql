-- migrate:up
-- Views of work lists that people keep under a name of theirs (console/views.py): which list and which
-- filters, and of no family. A name that holds anybody's number is not taken.
CREATE TABLE console_view (
    owner   text NOT NULL,
    name    text NOT NULL,
    list    text NOT NULL,
    filters json NOT NULL,
    PRIMARY KEY (owner, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON console_view TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE console_view;
