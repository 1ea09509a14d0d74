-- migrate:up
-- What is to be said to a payment whose own stream does not take it: it is said again until it does.
CREATE TABLE payment_set_aside (
    payment     uuid NOT NULL,
    command     text NOT NULL,
    data        text NOT NULL,       -- the command's fields as JSON
    ord         bigint GENERATED ALWAYS AS IDENTITY,  -- said in this order
    tahap       text NOT NULL,
    kind        text NOT NULL,       -- of the payment's run
    revision    integer NOT NULL,    -- of the tahap's announcement; void with it
    moves_money boolean NOT NULL,    -- the run's books wait for it
    at          timestamptz NOT NULL,  -- the moment that it counts for
    error       text NOT NULL,       -- what it failed with at first
    since       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payment, command, data)  -- the same is set aside once
);

CREATE INDEX payment_set_aside_by_run ON payment_set_aside (tahap, kind);

GRANT SELECT, INSERT, UPDATE, DELETE ON payment_set_aside TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE payment_set_aside;
