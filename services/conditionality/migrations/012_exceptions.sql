-- migrate:up
-- Exceptions from duties; each row follows from the exception's stream.

-- Where a family lived by the line: which areas' exceptions its cycle is judged by.
ALTER TABLE roster_line ADD COLUMN region text COLLATE "C" NOT NULL DEFAULT '';
UPDATE roster_line SET region = lives.region FROM family_region AS lives
WHERE lives.family = roster_line.family;
CREATE INDEX roster_line_by_region ON roster_line (region, tahap, family);
CREATE INDEX roster_line_by_family ON roster_line (family);

-- All of them, as they are listed: of a family, `region` is where it lived when it was proposed.
CREATE TABLE duty_exception (
    exception uuid PRIMARY KEY,
    state     text NOT NULL,
    reason    text NOT NULL,
    region    text COLLATE "C" NOT NULL,
    family    uuid
);

-- The terms in force; `counted_to` is the last month of the cycles in which it has counted.
CREATE TABLE exception_standing (
    exception  uuid PRIMARY KEY,
    reason     text NOT NULL,
    region     text COLLATE "C" NOT NULL,   -- empty where it is of a family
    family     uuid,
    first_day  date NOT NULL,
    last_day   date NOT NULL,
    people     text[] NOT NULL,             -- who proposed and approved it: none may approve what follows
    counted_to text
);
CREATE INDEX exception_standing_by_region ON exception_standing (region) WHERE region <> '';
CREATE INDEX exception_standing_by_family ON exception_standing (family);

-- Terms that began or ceased to hold: the cycles of their area are judged again, up to a cursor.
CREATE TABLE exception_scan (
    exception uuid NOT NULL,
    number    integer NOT NULL,
    region    text COLLATE "C" NOT NULL,
    family    uuid,
    first_day date NOT NULL,
    last_day  date NOT NULL,
    people    text[] NOT NULL,
    tahap     text NOT NULL DEFAULT '',
    after     uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (exception, number)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON duty_exception, exception_standing, exception_scan
    TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE exception_scan, exception_standing, duty_exception;
DROP INDEX roster_line_by_family, roster_line_by_region;
ALTER TABLE roster_line DROP COLUMN region;
