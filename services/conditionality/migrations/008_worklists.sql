-- migrate:up
-- What people work through; each row follows from the family's stream, from its next event on.

-- Cycles whose latest revision is not compliant: FAILED or UNVERIFIED.
CREATE TABLE unmet_cycle (
    tahap  text NOT NULL,
    family uuid NOT NULL,
    result text NOT NULL,
    PRIMARY KEY (tahap, family)
);

-- Corrections that wait for a second person, at most one a family and tahap.
CREATE TABLE correction_waiting (
    family     uuid NOT NULL,
    tahap      text NOT NULL,
    correction integer NOT NULL,
    result     text NOT NULL,     -- what the cycle would come to
    PRIMARY KEY (family, tahap)
);

-- Whether a finding waits for a second person.
ALTER TABLE investigation_open ADD COLUMN finding boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT, UPDATE, DELETE ON unmet_cycle, correction_waiting TO ${RUNTIME_ROLE};

-- migrate:down
ALTER TABLE investigation_open DROP COLUMN finding;
DROP TABLE correction_waiting, unmet_cycle;
