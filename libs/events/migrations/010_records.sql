-- migrate:up
-- Of a record that is no message only the length and the SHA-256 are kept: whoever wrote it may have
-- written anything. One at which a consumer stops stands here too until a person has judged it: what
-- is dropped then is that record, known by its hash, and no other that comes to stand at its offset.

ALTER TABLE parked ADD COLUMN stops boolean NOT NULL DEFAULT false;

GRANT UPDATE (message, error, stops) ON parked TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE UPDATE (message, error, stops) ON parked FROM ${RUNTIME_ROLE};
ALTER TABLE parked DROP COLUMN stops;
