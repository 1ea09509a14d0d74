-- migrate:up
-- What a topic that another one narrows tells of an event, until it ends. The log holds what the narrow
-- one tells, and forgets nothing; what stands here is forgotten with the family.
CREATE TABLE wide_message (
    stream_id text COLLATE "C" NOT NULL,
    version   bigint NOT NULL,
    value     json NOT NULL,
    PRIMARY KEY (stream_id, version)
);
GRANT SELECT, INSERT, DELETE ON wide_message TO ${RUNTIME_ROLE};

CREATE OR REPLACE VIEW outgoing WITH (security_barrier) AS
SELECT block, ord, stream_id, type, topic, key, occurred_at, metadata ->> 'trace' AS trace,
       CASE WHEN message::text = 'true' THEN data ELSE message END AS value,
       wide_message.value AS wide
FROM events LEFT JOIN wide_message USING (stream_id, version) WHERE topic IS NOT NULL;

-- migrate:down
DROP VIEW outgoing;
CREATE VIEW outgoing WITH (security_barrier) AS
SELECT block, ord, stream_id, type, topic, key, occurred_at, metadata ->> 'trace' AS trace,
       CASE WHEN message::text = 'true' THEN data ELSE message END AS value
FROM events WHERE topic IS NOT NULL;
GRANT SELECT ON outgoing TO ${RUNTIME_ROLE};
DROP TABLE wide_message;
