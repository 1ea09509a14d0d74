-- migrate:up
-- Orders of cases to take a termination back that wait for a person who did not ask; each row
-- follows from the family's stream.
CREATE TABLE take_back_waiting (
    family   uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    case_id  uuid NOT NULL,
    asked_by text[] NOT NULL,   -- who has said yes already: they do not decide
    tahap    text NOT NULL      -- with which the family was terminated
);

INSERT INTO take_back_waiting (family, order_id, case_id, asked_by, tahap)
SELECT substr(asked.stream_id, 8)::uuid, (data ->> 'order')::uuid, (data ->> 'case')::uuid,
       ARRAY(SELECT json_array_elements_text(data -> 'asked_by')),
       (SELECT ended.data ->> 'tahap' FROM events AS ended
        WHERE ended.stream_id = asked.stream_id AND ended.type = 'FamilyTerminated'
        ORDER BY ended.version DESC LIMIT 1)
FROM (SELECT DISTINCT ON (stream_id) stream_id, version, data FROM events
      WHERE type = 'TakeBackProposed' ORDER BY stream_id, version DESC) AS asked
WHERE NOT EXISTS (SELECT FROM events AS decided
                  WHERE decided.stream_id = asked.stream_id AND decided.version > asked.version
                    AND decided.type IN ('TakeBackRejected', 'TerminationTakenBack'));

GRANT SELECT, INSERT, DELETE ON take_back_waiting TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE take_back_waiting;
