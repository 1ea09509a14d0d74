-- migrate:up
-- Whose desk a case is, and how far people are with it.
ALTER TABLE case_standing
    ADD COLUMN area     text COLLATE "C" NOT NULL DEFAULT '',  -- of the office that had it first
    ADD COLUMN channel  text NOT NULL DEFAULT '',
    ADD COLUMN family   uuid,
    ADD COLUMN assigned text NOT NULL DEFAULT '',              -- the subject whose work it is
    ADD COLUMN paused   boolean NOT NULL DEFAULT false,        -- then due_on is the reporter's last day
    ADD COLUMN closed   boolean NOT NULL DEFAULT false,
    ADD COLUMN linked   uuid;                                  -- the case that stands for it
CREATE INDEX case_listed ON case_standing (coalesce(due_on, 'infinity'), case_id);
CREATE INDEX case_of_family ON case_standing (family) WHERE family IS NOT NULL;
CREATE INDEX case_beside ON case_standing (linked) WHERE linked IS NOT NULL;

-- The number by which a person asks for a case. Its PIN follows from the case's key and is kept nowhere.
CREATE TABLE receipt (
    receipt text COLLATE "C" PRIMARY KEY,
    case_id uuid NOT NULL UNIQUE
);
-- Guesses of PINs, also of numbers that nobody has: who guesses learns nothing from where it ends.
CREATE TABLE pin_guess (
    receipt text COLLATE "C" PRIMARY KEY,
    guesses integer NOT NULL,
    since   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pin_guess_since ON pin_guess (since);

GRANT SELECT, INSERT ON receipt TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON pin_guess TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE pin_guess, receipt;
DROP INDEX case_listed, case_of_family, case_beside;
ALTER TABLE case_standing
    DROP COLUMN area, DROP COLUMN channel, DROP COLUMN family, DROP COLUMN assigned,
    DROP COLUMN paused, DROP COLUMN closed, DROP COLUMN linked;
