-- migrate:up
-- The store of one service. These are disk formats: what is hashed is kept as the text that was
-- hashed (json, never jsonb), and an event's position is its block's first position plus its ord.

CREATE TABLE streams (
    stream_id     text COLLATE "C" PRIMARY KEY,
    version       bigint NOT NULL CHECK (version > 0),  -- the authority: advanced by compare-and-set
    state         json,                                 -- snapshot at `version`; rebuildable, may be null
    state_version smallint                              -- shape of the snapshot; another one is replayed
) WITH (fillfactor = 50); -- a batch moves whole pages of streams: room for each row's next version

CREATE SEQUENCE block_numbers;

CREATE TABLE events (
    block          bigint NOT NULL,
    ord            integer NOT NULL,
    stream_id      text COLLATE "C" NOT NULL,
    version        bigint NOT NULL,
    type           text NOT NULL,
    schema_version smallint NOT NULL,
    data           json NOT NULL,
    metadata       json,                                -- only what differs from the block's
    topic          text,
    key            text,
    message        json,                                -- null: internal; true: the data as it stands
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (block, ord)
) PARTITION BY RANGE (block);

CREATE INDEX events_of_stream ON events (stream_id, version);
CREATE TABLE events_beyond PARTITION OF events DEFAULT;

CREATE TABLE blocks (
    first_position bigint PRIMARY KEY,
    block          bigint NOT NULL UNIQUE,
    count          integer NOT NULL CHECK (count > 0),
    root           bytea NOT NULL,
    head           bytea NOT NULL,
    metadata       json,
    recorded_at    timestamptz NOT NULL
);

CREATE TABLE head (
    single   boolean PRIMARY KEY DEFAULT true CHECK (single),
    position bigint NOT NULL,
    hash     bytea NOT NULL,
    epoch    text NOT NULL                              -- changes at every restore
);
INSERT INTO head (position, hash, epoch) VALUES (0, sha256(''), gen_random_uuid()::text);

CREATE TABLE claims (
    kind      text COLLATE "C" NOT NULL,
    token     text COLLATE "C" NOT NULL,
    stream_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, token)
);

CREATE TABLE idempotency (
    client      text NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    status      smallint,
    answer      json,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client, key)
);

CREATE TABLE relay (
    topic     text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE consumed (
    subscription text NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    partition    integer NOT NULL,
    epoch        text,
    position     bigint NOT NULL,
    PRIMARY KEY (subscription, topic, partition)
);

CREATE TABLE parked (
    subscription text NOT NULL,
    topic        text COLLATE "C" NOT NULL,
    partition    integer NOT NULL,
    key          text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    message      json NOT NULL,
    error        text NOT NULL,
    PRIMARY KEY (subscription, topic, partition, position)
);
CREATE INDEX parked_of_key ON parked (subscription, topic, partition, key);

-- Services may add to the log and read it; nobody rewrites it.
GRANT SELECT, INSERT ON events, blocks TO ${RUNTIME_ROLE};
GRANT SELECT, UPDATE (position, hash) ON head TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE ON streams, relay, consumed, idempotency TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT ON claims TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, DELETE ON parked TO ${RUNTIME_ROLE};
GRANT USAGE ON SEQUENCE block_numbers TO ${RUNTIME_ROLE};

-- Partitions are made ahead of the blocks that fall into them, at migration and by the owner.
CREATE FUNCTION make_event_partitions(blocks_a_partition bigint, ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    current bigint := (SELECT coalesce(max(block), 0) / blocks_a_partition FROM blocks);
    n bigint;
BEGIN
    FOR n IN current .. current + ahead LOOP
        IF to_regclass(format('events_%s', n)) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)',
                n, n * blocks_a_partition, (n + 1) * blocks_a_partition);
        END IF;
    END LOOP;
END $$;
SELECT make_event_partitions(100000, 4);

-- migrate:down
DROP FUNCTION make_event_partitions;
DROP TABLE parked, consumed, relay, idempotency, claims, head, blocks, events, streams;
DROP SEQUENCE block_numbers;
