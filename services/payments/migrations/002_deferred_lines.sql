-- migrate:up
-- A line that leaves its run by name before the bank's file is committed stays here, and in no file.
ALTER TABLE run_line ADD COLUMN deferred text;   -- why it left the run; null while it is in it

-- migrate:down
ALTER TABLE run_line DROP COLUMN deferred;
