-- migrate:up
-- What writers from outside have reported by topic. Neither table holds a number, a token or a byte of it.

-- Messages that were taken in, by hash of writer and id: sent again they change nothing. `content` is a
-- hash over what was recorded, so that an id which is used for something else is found out.
CREATE TABLE inbound_message (
    id      bytea PRIMARY KEY,
    content bytea NOT NULL
);

-- Messages that were not taken in, and why. `life` tells one topic from another of its name.
CREATE TABLE inbound_withheld (
    topic     text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    life      text COLLATE "C" NOT NULL,
    place     bigint NOT NULL,             -- the message's offset
    writer    text COLLATE "C" NOT NULL,   -- as it is registered
    reporter  text COLLATE "C" NOT NULL,   -- a school's npsn or a facility's code; may be empty
    message   text COLLATE "C" NOT NULL,   -- its id, empty where that might be a person's number
    reason    text COLLATE "C" NOT NULL,
    field     text COLLATE "C" NOT NULL,   -- what of it, where a field is at fault
    regions   text[] COLLATE "C" NOT NULL, -- in which its writer may speak
    sha256    bytea NOT NULL,              -- of the record as it came
    PRIMARY KEY (topic, partition, life, place)
);

-- How much of each partition was taken in, quiet and withheld: with what is no message they come to what
-- was consumed, which `pkh verify` adds up.
CREATE TABLE inbound_count (
    topic     text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    life      text COLLATE "C" NOT NULL,
    taken     bigint NOT NULL,
    repeated  bigint NOT NULL,
    withheld  bigint NOT NULL,
    PRIMARY KEY (topic, partition, life)
);

GRANT SELECT, INSERT ON inbound_message TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT ON inbound_withheld TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE ON inbound_count TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE inbound_count, inbound_withheld, inbound_message;
