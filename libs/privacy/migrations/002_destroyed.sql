-- migrate:up
-- Destroyed keys are asked for again and again: the log of erasures is held against them.
CREATE INDEX keys_destroyed ON keys (family) WHERE destroyed_at IS NOT NULL;

-- migrate:down
DROP INDEX keys_destroyed;
