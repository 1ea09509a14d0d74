-- migrate:up
-- Moves that are not true yet: until their day a family is where it lived before.

CREATE TABLE move_ahead (
    family       uuid NOT NULL,
    effective_on date NOT NULL,
    region       text NOT NULL,
    PRIMARY KEY (family, effective_on)
);
COMMENT ON COLUMN identity_family.region IS 'where the family lives until its first move_ahead';

INSERT INTO move_ahead (family, effective_on, region)
SELECT DISTINCT ON (1, 2) substr(stream_id, 8)::uuid, (data ->> 'effective_on')::date,
       data ->> 'region'
FROM events JOIN identity_family ON family = substr(stream_id, 8)::uuid
WHERE type = 'FamilyMoved' AND (data ->> 'effective_on')::date > current_date
ORDER BY 1, 2, data ->> 'reported_on' DESC, version DESC;

UPDATE identity_family SET region = (
    SELECT coalesce(data ->> 'region', data -> 'row' ->> 'region') FROM events
    WHERE stream_id = 'family-' || family
      AND (type = 'FamilyRegistered'
           OR (type = 'FamilyMoved' AND (data ->> 'effective_on')::date <= current_date))
    ORDER BY type = 'FamilyMoved' DESC, data ->> 'effective_on' DESC,
             data ->> 'reported_on' DESC, version DESC
    LIMIT 1)
WHERE family IN (SELECT family FROM move_ahead);

GRANT SELECT, INSERT, DELETE ON move_ahead TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE move_ahead;
