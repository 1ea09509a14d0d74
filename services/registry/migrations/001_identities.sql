-- migrate:up
-- Look-ups beside the streams, rebuilt from their events; what is personal stands sealed.

CREATE TABLE identity_family (
    family uuid PRIMARY KEY,
    card   text NOT NULL,           -- sealed no_kk
    region text NOT NULL            -- where the family lives as last reported
);

CREATE TABLE identity_member (
    family uuid NOT NULL,
    member integer NOT NULL,
    nik    text NOT NULL,           -- sealed
    PRIMARY KEY (family, member)
);

-- Who has read which family's identity, for what the law lets the family ask.
CREATE TABLE identity_read (
    at       timestamptz NOT NULL,
    reader   text NOT NULL,
    families uuid[] NOT NULL
);

-- The lists that are being made, and the buckets of a list that were asked for again.
CREATE TABLE listing_open (
    tahap text PRIMARY KEY,
    trace text
);
CREATE TABLE relist_asked (
    tahap  text NOT NULL,
    bucket text NOT NULL,
    PRIMARY KEY (tahap, bucket)
);

GRANT SELECT, INSERT, UPDATE ON identity_family, identity_member TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT ON identity_read TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON listing_open, relist_asked TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE relist_asked, listing_open, identity_read, identity_member, identity_family;
