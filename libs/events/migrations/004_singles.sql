-- migrate:up
-- One append in one statement, for single commands that arrived together (appender.py): all of it
-- happens, or an error undoes all of it and each command goes by itself. The same rules in the same
-- order as of every append: keys, streams by compare-and-set in the order of their ids, events under
-- a fresh block, and last of all the head, locked until commit.
CREATE FUNCTION append_singles(
    clients text[], keys text[], fingerprints text[], statuses smallint[], answers json[],
    ids text[], expected bigint[], versions bigint[], states json[], shapes smallint[],
    stream_ids text[], event_versions bigint[], types text[], schema_versions smallint[],
    event_data json[], event_metadata json[], topics text[], event_keys text[], messages json[],
    moments timestamptz[],
    new_block bigint, new_root bytea, new_metadata json, new_recorded_at timestamptz, seal bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    created integer;
    advanced integer;
    last_position bigint;
BEGIN
    -- A key that another transaction is about to answer is not waited for.
    IF NOT coalesce((SELECT bool_and(pg_try_advisory_xact_lock(
                         hashtextextended(given.c || E'\n' || given.k, 0)))
                     FROM unnest(clients, keys) AS given (c, k)), true) THEN
        RAISE serialization_failure USING MESSAGE = 'a key is being answered';
    END IF;
    INSERT INTO idempotency (client, key, fingerprint, status, answer)
        SELECT * FROM unnest(clients, keys, fingerprints, statuses, answers)
        ON CONFLICT ON CONSTRAINT idempotency_pkey DO NOTHING;
    GET DIAGNOSTICS created = ROW_COUNT;
    IF created < cardinality(keys) THEN
        RAISE serialization_failure USING MESSAGE = 'a key has been answered';
    END IF;
    IF cardinality(stream_ids) = 0 THEN
        RETURN NULL;
    END IF;

    INSERT INTO streams (stream_id, version, state, state_version)
        SELECT given.id, given.v, given.s, given.sv
        FROM unnest(ids, expected, versions, states, shapes) AS given (id, e, v, s, sv)
        WHERE given.e = 0 ORDER BY given.id COLLATE "C"
        ON CONFLICT ON CONSTRAINT streams_pkey DO NOTHING;
    GET DIAGNOSTICS created = ROW_COUNT;
    UPDATE streams SET version = new.v, state = new.s, state_version = new.sv
    FROM (
        SELECT given.*, streams.ctid AS place
        FROM unnest(ids, expected, versions, states, shapes) AS given (id, e, v, s, sv)
        JOIN streams ON streams.stream_id = given.id AND streams.version = given.e
        WHERE given.e > 0 ORDER BY given.id COLLATE "C" FOR NO KEY UPDATE OF streams
    ) AS new
    WHERE streams.ctid = new.place;
    GET DIAGNOSTICS advanced = ROW_COUNT;
    IF created + advanced < cardinality(ids) THEN
        RAISE serialization_failure USING MESSAGE = 'a stream was moved';
    END IF;

    INSERT INTO events
        SELECT new_block, n - 1, id, v, t, sv, d, md, topic, k, m, o
        FROM unnest(stream_ids, event_versions, types, schema_versions, event_data, event_metadata,
                    topics, event_keys, messages, moments)
            WITH ORDINALITY AS given (id, v, t, sv, d, md, topic, k, m, o, n);
    WITH moved AS (
        UPDATE head SET position = position + cardinality(stream_ids),
                        hash = sha256(hash || int8send(position + 1) || seal)
        RETURNING position, hash, pg_notify('appended', '')
    )
    INSERT INTO blocks (first_position, block, count, root, head, metadata, recorded_at)
        SELECT position - cardinality(stream_ids) + 1, new_block, cardinality(stream_ids), new_root,
               hash, new_metadata, new_recorded_at FROM moved
        RETURNING first_position + count - 1 INTO last_position;
    RETURN last_position;
END $$;

-- migrate:down
DROP FUNCTION append_singles;
