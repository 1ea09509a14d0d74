-- migrate:up
-- The tahap whose list found a family eligible, or had it graduate: what it says is void if it is
-- cancelled. Of rows from before nobody knows it, so those stand.
ALTER TABLE standing ADD COLUMN designated_in text, ADD COLUMN left_in text;

-- migrate:down
ALTER TABLE standing DROP COLUMN designated_in, DROP COLUMN left_in;
