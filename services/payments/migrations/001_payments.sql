-- migrate:up
-- What paying a tahap needs beside the streams: the joined list, the runs' lines, the ledger.

-- A family of a tahap, joined from the roster and its evaluation in whichever order they come.
CREATE TABLE list_line (
    tahap           text NOT NULL,
    family          uuid NOT NULL,
    revision        integer,            -- of the roster line; null before it came
    outcome         text,
    roster_hash     numeric(20, 0),
    line            json,               -- the roster's message; account and payee sealed
    evaluated       integer,            -- revision of the evaluation; null before it came
    result          text,
    evaluation_hash numeric(20, 0),
    PRIMARY KEY (tahap, family)
) WITH (fillfactor = 60);               -- the second topic completes each row where it stands

-- Counted a batch, so that completion is a sum over partitions and never a count over families.
CREATE TABLE list_count (
    tahap     text NOT NULL,
    topic     text NOT NULL,
    partition integer NOT NULL,
    lines     bigint NOT NULL,          -- families that are there
    changes   bigint NOT NULL,          -- messages that changed a line
    newest    bigint NOT NULL,          -- position of the last one in its sender's log
    PRIMARY KEY (tahap, topic, partition)
);

-- What the owner of a topic says its lines come to, by its latest revision.
CREATE TABLE list_proof (
    tahap    text NOT NULL,
    topic    text NOT NULL,
    revision integer NOT NULL,
    position bigint NOT NULL,           -- in its sender's log
    lines    bigint NOT NULL,
    graduated bigint NOT NULL,          -- of the lines, those that are owed nothing any more
    parked   json NOT NULL,
    buckets  json NOT NULL,
    PRIMARY KEY (tahap, topic)
);

-- The tahaps whose list is open, what the last look at it has seen, and whether it agreed. Whoever
-- adds lines holds the row; the freeze deletes it, so no line changes behind an approved hash.
CREATE TABLE list_open (
    tahap  text PRIMARY KEY,
    seen   text NOT NULL DEFAULT '',
    proved boolean NOT NULL DEFAULT false
);

-- The payment that a family's money of a tahap is on; effects are addressed to it.
CREATE TABLE payment_of (
    tahap  text NOT NULL,
    family uuid NOT NULL,
    kind   text NOT NULL,
    PRIMARY KEY (tahap, family)
);
CREATE INDEX payment_of_family ON payment_of (family, tahap);

-- The payments of a run, in the order in which they stand in its files.
CREATE TABLE run_line (
    tahap         text NOT NULL,
    kind          text NOT NULL,
    payment       uuid NOT NULL,
    family        uuid NOT NULL,
    bank          text NOT NULL,
    amount        bigint NOT NULL,
    payable       boolean NOT NULL,
    account_check text,
    answer        text,                 -- CREDITED or the bank's failing code
    PRIMARY KEY (tahap, kind, payment)
);

-- The runs on their way, and how far the step has come that is being done.
CREATE TABLE run_open (
    tahap  text NOT NULL,
    kind   text NOT NULL,
    trace  text,
    step   text NOT NULL DEFAULT '',
    cursor text NOT NULL DEFAULT '',
    trouble text,                       -- why the step does not succeed; it is tried again
    PRIMARY KEY (tahap, kind)
);

CREATE TABLE ledger (
    id     text PRIMARY KEY,            -- what moved and why: the same movement never twice
    name   text NOT NULL,
    tahap  text NOT NULL,
    debit  text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0)
);

GRANT SELECT, INSERT, UPDATE ON list_line, list_count, list_proof, payment_of, run_line
    TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON list_open, run_open TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT ON ledger TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE ledger, run_open, run_line, payment_of, list_open, list_proof, list_count, list_line;
