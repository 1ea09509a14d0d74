-- migrate:up
-- The families that two people hold or propose to hold: a row beside each one's stream.
CREATE TABLE administrative_hold (
    family     uuid PRIMARY KEY,
    region     text NOT NULL,
    state      text NOT NULL,       -- what waits to be decided, or else HELD or ENDED
    reason     text NOT NULL,       -- of the hold in force, else of the latest one
    kind       text,                -- of the hold in force; null where the family is not held
    from_tahap text NOT NULL,       -- the first tahap that it concerns, '' for all
    last_day   date                 -- the last day that it concerns, null without an end
);

GRANT SELECT, INSERT, UPDATE ON administrative_hold TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE administrative_hold;
