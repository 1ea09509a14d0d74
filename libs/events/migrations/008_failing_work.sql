-- migrate:up
-- What a leader's work fails at again and again, item by item: a tahap, a bucket, a run; the work as
-- a whole where `item` is empty. Every process of the service shows it. A row goes when it succeeds.

CREATE TABLE failing_work (
    work     text COLLATE "C" NOT NULL,
    item     text COLLATE "C" NOT NULL,
    error    text NOT NULL,             -- our own text or an error's kind: nothing personal
    attempts integer NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work, item)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON failing_work TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE failing_work;
