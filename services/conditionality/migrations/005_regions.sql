-- migrate:up
-- Where each family is, by the latest line of the roster: whose token may see and decide on it.
CREATE TABLE family_region (
    family   uuid PRIMARY KEY,
    region   text COLLATE "C" NOT NULL,
    month    text NOT NULL,     -- YYYY-MM, the first of the line's tahap; an older line changes nothing
    revision integer NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON family_region TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE family_region;
