-- migrate:up
-- Families that could not be taken back from a cancelled list: tried again by itself, and withheld
-- from every other list meanwhile.
CREATE TABLE unlisting_left (
    tahap    text NOT NULL,
    family   uuid NOT NULL,
    revision integer NOT NULL,  -- of the cancelled list
    cut      bigint NOT NULL,   -- of that list; the next one of the tahap has its own
    PRIMARY KEY (tahap, family)
);

GRANT SELECT, INSERT, DELETE ON unlisting_left TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE unlisting_left;
