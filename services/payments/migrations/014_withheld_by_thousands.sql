-- migrate:up
-- Families that the registry withheld beyond those that the end of its list names, each with the
-- code of why; `withheld_more` of a proof is how many of them there are.
CREATE TABLE list_withheld (
    tahap    text NOT NULL,
    family   uuid NOT NULL,
    revision integer NOT NULL,
    reason   text NOT NULL,
    PRIMARY KEY (tahap, family)
);
ALTER TABLE list_proof ADD COLUMN withheld_more bigint NOT NULL DEFAULT 0;
GRANT SELECT, INSERT, UPDATE, DELETE ON list_withheld TO ${RUNTIME_ROLE};

-- migrate:down
ALTER TABLE list_proof DROP COLUMN withheld_more;
DROP TABLE list_withheld;
