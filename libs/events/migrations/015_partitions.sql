-- migrate:up
-- A partition is made for blocks that none of it stand in the default one yet. Where a store was not
-- started anew for so long that blocks went beyond what had been made ahead, the next start failed at
-- making what they would have belonged to; they stay where they are, and are found there.
CREATE OR REPLACE FUNCTION make_event_partitions(blocks_a_partition bigint, ahead integer)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    current bigint := (SELECT coalesce(max(block), 0) / blocks_a_partition FROM blocks);
    low bigint;
    high bigint;
BEGIN
    FOR n IN current .. current + ahead LOOP
        low := n * blocks_a_partition;
        high := low + blocks_a_partition;
        CONTINUE WHEN to_regclass(format('events_%s', n)) IS NOT NULL
            OR EXISTS (SELECT FROM events_beyond WHERE block >= low AND block < high);
        EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)',
                       n, low, high);
    END LOOP;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION make_event_partitions(blocks_a_partition bigint, ahead integer)
RETURNS void LANGUAGE plpgsql AS $$
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
