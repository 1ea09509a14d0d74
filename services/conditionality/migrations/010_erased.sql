-- migrate:up
-- Families that the registry erases: nothing of theirs is shown, and no fact finds them any more.
CREATE TABLE erased_family (
    family uuid PRIMARY KEY
);

GRANT SELECT, INSERT ON erased_family TO ${RUNTIME_ROLE};
GRANT DELETE ON person_family TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE DELETE ON person_family FROM ${RUNTIME_ROLE};
DROP TABLE erased_family;
