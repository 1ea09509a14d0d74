-- migrate:up
-- Whose a person is whom several families name: of their families the lowest place has the person.
-- A first naming has its position in registry's log, what two people decided the negated one, so
-- that the last decision has them, and without one who named them first. 0 is from before this.
ALTER TABLE person_family ADD COLUMN place bigint NOT NULL DEFAULT 0;
GRANT UPDATE (place) ON person_family TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE UPDATE (place) ON person_family FROM ${RUNTIME_ROLE};
ALTER TABLE person_family DROP COLUMN place;
