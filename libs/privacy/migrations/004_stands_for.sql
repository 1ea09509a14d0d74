-- migrate:up
-- By which token a number is known, whichever version of the token key made the token that is asked
-- for. Who first asks for a number keeps its rows; numbers that only version 1 ever saw have none.
CREATE TABLE stands_for (
    token   text COLLATE "C" PRIMARY KEY CHECK (token ~ '^[0-9a-f]{32}$'),
    version integer NOT NULL CHECK (version > 0),
    first   text COLLATE "C" NOT NULL CHECK (first ~ '^[0-9a-f]{32}$')
);
REVOKE ALL ON stands_for FROM PUBLIC;

-- migrate:down
DROP TABLE stands_for;
