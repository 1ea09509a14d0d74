-- migrate:up
-- Persons whom several families name: each of these families' members, in order of naming.
CREATE TABLE duplicate (
    family uuid NOT NULL,
    member integer NOT NULL,
    token  text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (family, member)
);
CREATE INDEX duplicate_token ON duplicate (token);

-- The family that two people decided has a person. The last decision by a cut counts.
CREATE TABLE adjudicated (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token  text NOT NULL,
    family uuid NOT NULL,
    block  bigint NOT NULL   -- of the decision's event; the block says its position
);
CREATE INDEX adjudicated_token ON adjudicated (token);
CREATE INDEX adjudicated_family ON adjudicated (family);

-- The person of whom a change speaks, by token.
ALTER TABLE change_waiting ADD COLUMN person text NOT NULL DEFAULT '';

GRANT SELECT, INSERT, DELETE ON duplicate, adjudicated TO ${RUNTIME_ROLE};

-- An erased family has nobody: who named a person next, has them first.
DELETE FROM claims WHERE kind = 'person' AND stream_id IN (
    SELECT 'family-' || family FROM erasure WHERE state <> 'PROPOSED'
);
WITH named AS (
    SELECT token, stream_id, block, ord,
           CASE type WHEN 'MembersRegistered' THEN (data ->> 'first_member')::int + place - 1
                     ELSE (data ->> 'member')::int END AS member
    FROM events, LATERAL (
        SELECT value ->> 'token' AS token, ordinality AS place
        FROM json_array_elements(
            CASE type WHEN 'MembersRegistered' THEN data -> 'rows' ELSE json_build_array(data) END
        ) WITH ORDINALITY
    ) AS person
    WHERE type IN ('MembersRegistered', 'MemberBorn', 'NikRecorded')
      AND NOT EXISTS (SELECT FROM erasure WHERE state <> 'PROPOSED'
                      AND stream_id = 'family-' || family)
), firsts AS (
    INSERT INTO claims (kind, token, stream_id)
    SELECT DISTINCT ON (token) 'person', token, stream_id
    FROM named JOIN blocks USING (block) ORDER BY token, first_position, ord
    ON CONFLICT DO NOTHING
)
INSERT INTO duplicate (family, member, token)
SELECT substr(stream_id, 8)::uuid, member, token FROM named JOIN blocks USING (block)
WHERE token IN (SELECT token FROM named GROUP BY token HAVING count(DISTINCT stream_id) > 1)
ORDER BY first_position, ord
ON CONFLICT DO NOTHING;

-- migrate:down
ALTER TABLE change_waiting DROP COLUMN person;
DROP TABLE adjudicated, duplicate;
