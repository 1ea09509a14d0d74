-- migrate:up
-- Announcements that wait until the lists before them are made, and cancelled ones taken back.
CREATE TABLE listing_waiting (
    tahap        text PRIMARY KEY,
    announcement json NOT NULL,
    trace        text
);

-- Cancelled lists, and the last family from which one was taken back.
CREATE TABLE unlisting_open (
    tahap  text PRIMARY KEY,
    cursor text NOT NULL DEFAULT '',
    trace  text
);

GRANT SELECT, INSERT, UPDATE, DELETE ON listing_waiting, unlisting_open TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE unlisting_open, listing_waiting;
