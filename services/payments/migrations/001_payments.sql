-- migrate:up
-- What payments keeps beside its streams, each row written in the transaction of what it says.

-- The list of a tahap while it is joined. Whoever changes a line holds this row shared, whoever
-- freezes holds it alone: so no line changes behind the hash that was approved.
CREATE TABLE closing (
    tahap         text PRIMARY KEY,
    rule_set      text NOT NULL,
    trace         text,
    roster        json,                      -- ListClosed, and its position in the registry's log
    roster_at     bigint NOT NULL DEFAULT 0,
    evaluation    json,                      -- EvaluationClosed, and its position likewise
    evaluation_at bigint NOT NULL DEFAULT 0,
    looked        text NOT NULL DEFAULT '',  -- what the last proof has seen
    proved        text NOT NULL DEFAULT '',  -- what the last proof that held has seen
    deferrable    json NOT NULL DEFAULT '[]',
    frozen        boolean NOT NULL DEFAULT false
);

-- A family's line of a tahap, from both topics in either order; hashes are those of the messages
-- (their first 8 bytes, signed). Account and payee are sealed, persons are tokens.
CREATE TABLE list_line (
    tahap          text NOT NULL,
    family         uuid NOT NULL,
    revision       integer,
    hash           bigint,
    outcome        text,
    region         text,
    components     text,
    amount         bigint,
    payee_valid    boolean,
    persons        text,
    bank           text,
    account_no     text,
    account_name   text,
    payee_nik      text,
    evaluated      integer,
    evaluated_of   integer,                  -- the roster revision that was evaluated
    evaluated_hash bigint,
    result         text,
    PRIMARY KEY (tahap, family)
) WITH (fillfactor = 60);                    -- the second topic completes each row where it stands

-- Counted a batch, so that completion is a sum over partitions and never a count over families.
-- `changes` counts every line that came, also again; `newest` is its position in its sender's log.
CREATE TABLE list_count (
    tahap     text NOT NULL,
    topic     text NOT NULL,
    partition integer NOT NULL,
    families  bigint NOT NULL,
    changes   bigint NOT NULL,
    newest    bigint NOT NULL,
    PRIMARY KEY (tahap, topic, partition)
);

-- A run between its freeze and its reconciliation; `cursor` is the last family that was entitled.
CREATE TABLE payment_run (
    tahap        text NOT NULL,
    kind         text NOT NULL,
    cursor       text NOT NULL DEFAULT '',
    order_hash   text,
    order_count  bigint,
    order_rupiah bigint,
    trouble      text,
    done         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tahap, kind)
);

-- How each payment stands. A hold may come first, so only the first four columns are always there.
CREATE TABLE payment (
    payment    uuid PRIMARY KEY,
    tahap      text NOT NULL,
    family     uuid NOT NULL,
    kind       text NOT NULL,
    region     text,
    components text,
    amount     bigint NOT NULL DEFAULT 0,
    payable    boolean NOT NULL DEFAULT false,
    bank       text,
    transfer   text NOT NULL,
    answer     text NOT NULL DEFAULT '',
    hold       text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX payment_of_run ON payment (tahap, kind, payment);
CREATE INDEX payment_of_family ON payment (family);

-- Every movement of money: `amount` whole rupiah out of `credit` into `debit`.
CREATE TABLE ledger (
    id     text PRIMARY KEY,
    name   text NOT NULL,
    tahap  text NOT NULL,
    kind   text NOT NULL,
    debit  text NOT NULL,
    credit text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX ledger_of_run ON ledger (tahap, kind);

-- Where a partner's answer says what it can not say; counted, because its words may be anything.
CREATE TABLE finding (
    tahap text NOT NULL,
    kind  text NOT NULL,
    file  text NOT NULL,
    what  text NOT NULL,
    lines bigint NOT NULL,
    PRIMARY KEY (tahap, kind, file, what)
);

GRANT SELECT, INSERT, UPDATE
    ON closing, list_line, list_count, payment_run, payment, finding TO ${RUNTIME_ROLE};
-- What was booked stays booked.
GRANT SELECT, INSERT ON ledger TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE finding, ledger, payment, payment_run, list_count, list_line, closing;
