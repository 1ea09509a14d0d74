-- migrate:up
-- A parked message that a person drops stays here as it came, with who dropped it and why. It is
-- neither replayed nor in the way of its key any more. Records that are no messages at all stand at
-- the position -1 - offset, under no key: they have no place in any log, and so hold up nothing.

ALTER TABLE parked ADD COLUMN dropped_at timestamptz;
ALTER TABLE parked ADD COLUMN dropped_by text;
ALTER TABLE parked ADD COLUMN dropped_reason text;

GRANT UPDATE (dropped_at, dropped_by, dropped_reason) ON parked TO ${RUNTIME_ROLE};

-- migrate:down
ALTER TABLE parked DROP COLUMN dropped_reason;
ALTER TABLE parked DROP COLUMN dropped_by;
ALTER TABLE parked DROP COLUMN dropped_at;
