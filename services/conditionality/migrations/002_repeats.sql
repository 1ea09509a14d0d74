-- migrate:up
-- The buckets of a tahap's evaluations that payments asked for again.
CREATE TABLE repeat_asked (
    tahap  text NOT NULL,
    bucket text NOT NULL,
    PRIMARY KEY (tahap, bucket)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON repeat_asked TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE repeat_asked;
