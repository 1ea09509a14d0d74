-- migrate:up
-- What families are owed since a cycle behind a cut was decided otherwise: no run pays it yet. Each
-- row follows from its payment's stream, and goes when nothing is owed any more.
CREATE TABLE arrear (
    payment     uuid PRIMARY KEY,
    tahap       text NOT NULL,
    family      uuid NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),  -- rupiah
    cut_percent integer NOT NULL,                    -- what the cycle cuts by that revision
    evaluation  integer NOT NULL,
    case_id     text NOT NULL,                       -- empty where late facts decided it otherwise
    reason      text NOT NULL,
    since       date NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON arrear TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE arrear;
