-- migrate:up
-- What a failed cycle cuts, where its rules cut instead of holding.
ALTER TABLE list_line ADD COLUMN cut_percent integer NOT NULL DEFAULT 0;  -- by the evaluation
ALTER TABLE run_line ADD COLUMN cut bigint NOT NULL DEFAULT 0;  -- rupiah; `amount` is without them

-- migrate:down
ALTER TABLE run_line DROP COLUMN cut;
ALTER TABLE list_line DROP COLUMN cut_percent;
