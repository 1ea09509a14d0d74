-- migrate:up
-- Cases whose term has no last day while a decree of national holidays is missing.
CREATE INDEX case_undated ON case_standing (case_id) WHERE status = 'OPEN' AND due_on IS NULL;
ALTER TABLE sweep ADD COLUMN undated bigint NOT NULL DEFAULT 0;  -- that wait for a decree to go on

-- migrate:down
DROP INDEX case_undated;
ALTER TABLE sweep DROP COLUMN undated;
