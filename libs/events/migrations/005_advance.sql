-- migrate:up
-- The compare-and-set of an append's streams in one statement; answers the ids that won, or null
-- where all did. Rows are taken in the order of their ids, so that two appends never wait for each
-- other in a circle. Merging, a row is written once, where locking it first would write it twice;
-- that keeps the order because with these settings, and with an insert that never happens, the
-- server can do no other than to take the given streams one after another and look each one up.
CREATE FUNCTION advance_streams(
    ids text[], expected bigint[], versions bigint[], states json[], shapes smallint[]
) RETURNS text[] LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    created text[];
    advanced text[];
    won text[];
BEGIN
    IF 0 = ANY (expected) THEN
        WITH won AS (
            INSERT INTO streams (stream_id, version, state, state_version)
            SELECT given.id, given.v, given.s, given.sv
            FROM unnest(ids, expected, versions, states, shapes) AS given (id, e, v, s, sv)
            WHERE given.e = 0 ORDER BY given.id COLLATE "C"
            ON CONFLICT (stream_id) DO NOTHING
            RETURNING stream_id
        )
        SELECT array_agg(stream_id) INTO created FROM won;
    END IF;
    IF 0 < ANY (expected) THEN
        WITH won AS (
            MERGE INTO streams USING (
                SELECT given.* FROM unnest(ids, expected, versions, states, shapes)
                    AS given (id, e, v, s, sv)
                WHERE given.e > 0 ORDER BY given.id COLLATE "C"
            ) AS new ON streams.stream_id = new.id
            WHEN MATCHED AND streams.version = new.e THEN
                UPDATE SET version = new.v, state = new.s, state_version = new.sv
            WHEN NOT MATCHED AND new.e < 0 THEN
                INSERT (stream_id, version) VALUES (new.id, new.v)
            RETURNING streams.stream_id
        )
        SELECT array_agg(stream_id) INTO advanced FROM won;
    END IF;
    won := coalesce(created, '{}') || coalesce(advanced, '{}');
    RETURN CASE WHEN cardinality(won) < cardinality(ids) THEN won END;
END $$;

-- migrate:down
DROP FUNCTION advance_streams;
