-- migrate:up
-- The persons of registered families, by token; beside them stand those of the roster's lines.
CREATE TABLE person_family (
    token  text NOT NULL,
    family uuid NOT NULL,
    PRIMARY KEY (token, family)
);

-- Facts that were recorded for a token that no family had: where the sender finds them again.
CREATE TABLE unmatched_fact (
    token    text NOT NULL,
    kind     text COLLATE "C" NOT NULL,     -- SCHOOL or FACILITY
    month    text COLLATE "C" NOT NULL,     -- YYYY-MM
    service  text COLLATE "C" NOT NULL,     -- of a visit; empty for a month at school
    reporter text COLLATE "C" NOT NULL,     -- the school's npsn or the facility's code; may be empty
    regions  text[] COLLATE "C" NOT NULL,   -- of the sender's token
    source   text COLLATE "C" NOT NULL,     -- the import's job, or the id of a single request
    line     integer NOT NULL,              -- of the file; 0 for a request
    PRIMARY KEY (token, kind, month, service)
);
CREATE INDEX unmatched_fact_by_reporter ON unmatched_fact (kind, reporter, month);
CREATE INDEX unmatched_fact_by_line ON unmatched_fact (source, line);

GRANT SELECT, INSERT ON person_family TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON unmatched_fact TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE unmatched_fact, person_family;
