-- migrate:up
-- What the evaluation of a tahap needs beside the streams; each row is rebuilt from the roster.

-- The roster's latest line of a family, kept to judge its cycle again when a late fact arrives.
CREATE TABLE roster_line (
    tahap    text NOT NULL,
    family   uuid NOT NULL,
    revision integer NOT NULL,
    months   text[] NOT NULL,
    rule_set text NOT NULL,
    members  json NOT NULL,
    PRIMARY KEY (tahap, family)
);

-- Whose facts a family's cycle rests on.
CREATE TABLE duty_holder (
    token  text NOT NULL,
    tahap  text NOT NULL,
    family uuid NOT NULL,
    PRIMARY KEY (token, tahap, family)
);

-- The latest evaluation of each family, as the hash that the proof of the tahap sums up.
CREATE TABLE evaluated_line (
    tahap  text NOT NULL,
    family uuid NOT NULL,
    hash   numeric(20, 0) NOT NULL,
    PRIMARY KEY (tahap, family)
);

-- Counted a batch, so that completion is a sum over partitions and never a count over families.
-- `changes` counts every evaluated line, also of later revisions: the proof is stale behind it.
CREATE TABLE evaluated_count (
    tahap     text NOT NULL,
    partition integer NOT NULL,
    families  bigint NOT NULL,
    changes   bigint NOT NULL,
    PRIMARY KEY (tahap, partition)
);

-- The tahaps whose evaluation is open, and what the last proof has seen (changes/parked).
CREATE TABLE evaluation_open (
    tahap  text PRIMARY KEY,
    listed bigint NOT NULL,
    proved text NOT NULL DEFAULT ''
);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON roster_line, duty_holder, evaluated_line, evaluated_count, evaluation_open
    TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE evaluation_open, evaluated_count, evaluated_line, duty_holder, roster_line;
