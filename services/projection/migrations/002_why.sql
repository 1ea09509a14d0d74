-- migrate:up
-- By which terms a tahap's list is made and its cycles are judged, as their owners announced them.
CREATE TABLE tahap_terms (
    tahap    text NOT NULL,
    source   text NOT NULL,
    position bigint NOT NULL,
    type     text NOT NULL,
    body     json NOT NULL,
    PRIMARY KEY (tahap, source, position)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON tahap_terms TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE tahap_terms;
