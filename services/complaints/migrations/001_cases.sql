-- migrate:up
-- How a case stands, beside its stream and in the transaction of its events.
CREATE TABLE case_standing (
    case_id     uuid PRIMARY KEY,
    reference   text COLLATE "C" NOT NULL,    -- its number in the file that it came in; else empty
    region      text COLLATE "C" NOT NULL,
    category    text COLLATE "C" NOT NULL,
    level       text NOT NULL,                -- that has it, or resolved it
    received_on date NOT NULL,                -- by the programme
    due_on      date,                         -- null while no term is known
    status      text NOT NULL                 -- OPEN or RESOLVED
);
CREATE UNIQUE INDEX case_of_reference ON case_standing (reference) WHERE reference <> '';
-- Whose term will be over, and who has somebody above them.
CREATE INDEX case_due ON case_standing (due_on, case_id)
    WHERE status = 'OPEN' AND level <> 'NATION';

-- A day for which due days are swept: '' is every zone, by somebody's wish; others are the clock's.
CREATE TABLE sweep (
    zone       text COLLATE "C" NOT NULL,
    day        date NOT NULL,
    client     text NOT NULL,                 -- who asked for it
    key        text NOT NULL,                 -- of the request; empty for the clock's
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_on     date,                          -- the cursor: all up to here were looked at
    case_id    uuid,
    swept      bigint NOT NULL DEFAULT 0,     -- cases
    escalated  bigint NOT NULL DEFAULT 0,
    done       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (zone, day)
);
CREATE INDEX sweep_open ON sweep (day, zone) WHERE NOT done;

-- A case that could not be advanced to a day: it is tried again by itself.
CREATE TABLE unswept_case (
    case_id uuid PRIMARY KEY,
    day     date NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON case_standing, sweep TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON unswept_case TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE unswept_case, sweep, case_standing;
