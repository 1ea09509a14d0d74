-- migrate:up
-- Families with an appeal, and the tahap with which one has graduated meanwhile: its held money goes
-- back only when no appeal is open any more. An appeal that has ended is kept, so that a late copy of
-- its beginning opens nothing.
CREATE TABLE appealed_family (
    family       uuid PRIMARY KEY,
    returns_with text
);
CREATE TABLE family_appeal (
    family  uuid NOT NULL,
    case_id text NOT NULL,
    ended   boolean NOT NULL,
    PRIMARY KEY (family, case_id)
);

GRANT SELECT, INSERT, UPDATE ON appealed_family, family_appeal TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE family_appeal;
DROP TABLE appealed_family;
