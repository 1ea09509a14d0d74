-- migrate:up
-- Which group a family is assigned to, from a day on, as registry says; and where it lived then.
CREATE TABLE member (
    family      uuid NOT NULL,
    since       date NOT NULL,                -- 1900-01-01 for the first assignment
    group_id    text COLLATE "C" NOT NULL,
    facilitator text COLLATE "C" NOT NULL,
    card        text NOT NULL,                -- token; empty once the family is erased
    region      text COLLATE "C" NOT NULL,
    PRIMARY KEY (family, since)
);
CREATE INDEX member_by_card ON member (card);
CREATE INDEX member_of_group ON member (group_id);

-- Whether a family is in the programme: designated, and not gone since.
CREATE TABLE standing (
    family     uuid PRIMARY KEY,
    designated boolean NOT NULL DEFAULT false,
    left_for   text
);

CREATE TABLE family_move (
    family       uuid NOT NULL,
    effective_on date NOT NULL,
    position     bigint NOT NULL,             -- in registry's log, for two of one day
    region       text COLLATE "C" NOT NULL,
    PRIMARY KEY (family, effective_on, position)
);

CREATE TABLE erased_family (
    family uuid PRIMARY KEY
);

-- A group, from its first assignment on; its village is that of the family that was named first.
CREATE TABLE study_group (
    group_id    text COLLATE "C" PRIMARY KEY,
    region      text COLLATE "C" NOT NULL,
    facilitator text COLLATE "C" NOT NULL
);

CREATE TABLE session (
    session     text COLLATE "C" PRIMARY KEY,
    group_id    text COLLATE "C" NOT NULL,
    region      text COLLATE "C" NOT NULL,    -- of its group
    facilitator text COLLATE "C" NOT NULL,
    held_on     date NOT NULL,                -- or is planned for
    starts_at   text NOT NULL,
    module      text COLLATE "C" NOT NULL,
    number      integer NOT NULL,
    sessions    integer NOT NULL,             -- of the module
    rank        integer NOT NULL,             -- of the module among others
    standing    text NOT NULL                 -- PLANNED, HELD or CANCELLED
);
CREATE INDEX session_of_group ON session (group_id, held_on);
CREATE INDEX session_of_facilitator ON session (facilitator, held_on);

CREATE TABLE attendance (
    session text COLLATE "C" NOT NULL,
    family  uuid NOT NULL,
    status  text NOT NULL,                    -- H present, I excused, A absent
    PRIMARY KEY (session, family)
);
CREATE INDEX attendance_of_family ON attendance (family);

GRANT SELECT, INSERT, UPDATE ON member, standing, family_move, erased_family, study_group, session
    TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON attendance TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE attendance, session, study_group, erased_family, family_move, standing, member;
