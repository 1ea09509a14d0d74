-- migrate:up
-- Families without a line: they hold no category and have not graduated yet.
ALTER TABLE list_proof ADD COLUMN pending bigint NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE list_proof DROP COLUMN pending;
