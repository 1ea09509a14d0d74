-- migrate:up
-- Replays of parked messages as they go. What a transaction of one has handled and how far it is
-- stand or fall together, so a replay that was killed goes on, and nothing is handled twice.

CREATE TABLE replay (
    id           text COLLATE "C" PRIMARY KEY,
    client       text NOT NULL,                         -- the subject who asked for it
    key          text NOT NULL,                         -- the Idempotency-Key it came under
    topic        text COLLATE "C",                      -- whose messages; null: of all topics
    parked_key   text COLLATE "C",                      -- null: of all keys
    state        text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    place        json NOT NULL,                         -- subscription, topic, partition, position
    handled      bigint NOT NULL DEFAULT 0,
    refused      bigint NOT NULL DEFAULT 0,
    total        bigint NOT NULL,                       -- parked when it was asked for
    problem      json,
    cancelled_by text,
    started_at   timestamptz NOT NULL DEFAULT now(),
    changed_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX replay_newest ON replay (started_at DESC, id DESC);
CREATE INDEX replay_running ON replay (started_at) WHERE state = 'RUNNING';

GRANT SELECT, INSERT, UPDATE ON replay TO ${RUNTIME_ROLE};
GRANT UPDATE (error) ON parked TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE UPDATE (error) ON parked FROM ${RUNTIME_ROLE};
DROP TABLE replay;
