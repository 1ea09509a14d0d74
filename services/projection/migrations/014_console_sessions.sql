-- migrate:up
-- Who is signed in to the console: the digest of the id that their browser has, and their token, sealed
-- under a key that the id is a part of (console/sessions.py).
CREATE TABLE console_session (
    digest    bytea PRIMARY KEY,
    opened_at timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL,
    sealed    bytea NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON console_session TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE console_session;
