-- migrate:up
-- A plan is kept while a table grows, so these may not be made for the few streams of a young store:
-- each given stream is looked up by its key, and never by a look at all streams.
ALTER FUNCTION advance_streams SET enable_seqscan = off;
ALTER FUNCTION advance_streams SET enable_material = off;
ALTER FUNCTION append_singles SET enable_seqscan = off;
ALTER FUNCTION append_singles SET enable_material = off;

-- migrate:down
ALTER FUNCTION advance_streams RESET enable_seqscan;
ALTER FUNCTION advance_streams RESET enable_material;
ALTER FUNCTION append_singles RESET enable_seqscan;
ALTER FUNCTION append_singles RESET enable_material;
