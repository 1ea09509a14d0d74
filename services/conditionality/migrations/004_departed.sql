-- migrate:up
-- Families that a tahap lists and that were terminated before their cycle was judged.
CREATE TABLE departed_line (
    tahap  text NOT NULL,
    family uuid NOT NULL,
    PRIMARY KEY (tahap, family)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON departed_line TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE departed_line;
