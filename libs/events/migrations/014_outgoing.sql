-- migrate:up
-- What leaves the service, and nothing that stays: a relay reads the log by this view, which is fenced so that
-- no condition of its reader sees another row.

CREATE VIEW outgoing WITH (security_barrier) AS
SELECT block, ord, stream_id, type, topic, key, occurred_at, metadata ->> 'trace' AS trace,
       CASE WHEN message::text = 'true' THEN data ELSE message END AS value
FROM events WHERE topic IS NOT NULL;

GRANT SELECT ON outgoing TO ${RUNTIME_ROLE};

-- migrate:down
DROP VIEW outgoing;
