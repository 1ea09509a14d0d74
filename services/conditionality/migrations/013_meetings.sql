-- migrate:up
-- Families' marks at group sessions, where the payee's attendance is a duty.
CREATE TABLE meeting_mark (
    session text NOT NULL,
    family  uuid NOT NULL,
    month   text NOT NULL,     -- YYYY-MM, of the day on which the session was held
    status  text NOT NULL,     -- H present, I excused, A absent
    PRIMARY KEY (session, family)
);
CREATE INDEX meeting_mark_of_family ON meeting_mark (family, month);

GRANT SELECT, INSERT, UPDATE, DELETE ON meeting_mark TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE meeting_mark;
