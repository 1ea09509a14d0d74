-- migrate:up
-- Families that the registry erases: no money of theirs is sent from here on.
CREATE TABLE erased_family (
    family uuid PRIMARY KEY
);

GRANT SELECT, INSERT ON erased_family TO ${RUNTIME_ROLE};

-- Whose money is kept back, by two people or because the family is erased; the latter goes before.
CREATE VIEW held_family AS
SELECT family, kind, reason, from_tahap, last_day FROM administrative_hold
WHERE kind IS NOT NULL
  AND NOT EXISTS (SELECT FROM erased_family WHERE erased_family.family = administrative_hold.family)
UNION ALL
SELECT family, 'ERASURE', 'ERASED', '', NULL FROM erased_family;

GRANT SELECT ON held_family TO ${RUNTIME_ROLE};

-- migrate:down
DROP VIEW held_family;
DROP TABLE erased_family;
