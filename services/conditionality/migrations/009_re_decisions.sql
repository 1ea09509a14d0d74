-- migrate:up
-- Cycles that a late fact asks to be judged again and that cannot be, until they can.
CREATE TABLE re_decision_waiting (
    tahap       text NOT NULL,
    family      uuid NOT NULL,
    fact        bigint NOT NULL,  -- the latest of the facts, by its position
    recorded_by text[] NOT NULL,  -- who recorded them: none may approve what follows
    seen        bigint NOT NULL,  -- the position up to which they are in this row
    PRIMARY KEY (tahap, family)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON re_decision_waiting TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE re_decision_waiting;
