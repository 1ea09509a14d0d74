-- migrate:up
-- Uploads as they go, noted on a connection of their own beside the one transaction of a file. Its
-- session holds an advisory lock: a row that is RUNNING and whose lock is free was interrupted.

CREATE TABLE job (
    id           text COLLATE "C" PRIMARY KEY,
    client       text NOT NULL,                         -- the subject who sent it
    key          text NOT NULL,                         -- the Idempotency-Key it came under
    lock         bigint NOT NULL,
    kind         text NOT NULL,
    about        text NOT NULL,
    state        text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    attempt      integer NOT NULL,                      -- sent again under the same key: one more
    done         bigint NOT NULL,                       -- bytes
    total        bigint,
    counts       json NOT NULL,
    result       json,
    problem      json,
    cancelled_by text,                                  -- who asked for its end
    started_at   timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    UNIQUE (client, key)
);
CREATE INDEX job_newest ON job (started_at DESC, id DESC);

GRANT SELECT, INSERT, UPDATE ON job TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE job;
