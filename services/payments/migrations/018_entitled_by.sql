-- migrate:up
-- The line that a payment was entitled by is pinned in the payment's event, which nobody rewrites.
ALTER TABLE run_line DROP COLUMN source;

-- migrate:down
ALTER TABLE run_line ADD COLUMN source text;
