-- migrate:up
-- The revision of its tahap that a run pays: whoever hung in a step of one that was cancelled since
-- leaves the next one's alone.
ALTER TABLE run_open ADD COLUMN revision integer NOT NULL DEFAULT 1;
UPDATE run_open SET revision = announced.revisions
FROM (SELECT stream_id, count(*) AS revisions FROM events
      WHERE type = 'ClosingAnnounced' GROUP BY stream_id) AS announced
WHERE announced.stream_id = 'tahap-' || run_open.tahap;

-- migrate:down
ALTER TABLE run_open DROP COLUMN revision;
