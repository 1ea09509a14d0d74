-- migrate:up
-- The runs of a cancelled revision: a family may have a payment of each.
ALTER TABLE cancellation_open ADD COLUMN kinds text[] NOT NULL DEFAULT '{REGULAR}';

-- migrate:down
ALTER TABLE cancellation_open DROP COLUMN kinds;
