-- migrate:up
-- A hash over all messages that were taken in from a partition, in their order (taken.py), and the
-- position behind which it begins: what was taken before there was one is not in it. `verify` holds it
-- against the log of the topic's owner.

ALTER TABLE consumed ADD COLUMN taken bytea;
ALTER TABLE consumed ADD COLUMN taken_since bigint NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE consumed DROP COLUMN taken_since;
ALTER TABLE consumed DROP COLUMN taken;
