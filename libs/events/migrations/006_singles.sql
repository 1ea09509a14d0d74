-- migrate:up
-- Appends single commands as before, and costs a process and the server less: the statements' plans
-- are kept, since they are the same for one command and for sixty-four, and what is not there is not
-- looked for. `told_epoch` is the store's life in which the streams were read: one that has been
-- restored since is read again.
ALTER FUNCTION advance_streams SET plan_cache_mode = force_generic_plan;

DROP FUNCTION append_singles;
CREATE FUNCTION append_singles(
    told_epoch text,
    clients text[], keys text[], fingerprints text[], statuses smallint[], answers json[],
    ids text[], expected bigint[], versions bigint[], states json[], shapes smallint[],
    stream_ids text[], event_versions bigint[], types text[], schema_versions smallint[],
    event_data json[], event_metadata json[], topics text[], event_keys text[], messages json[],
    moments timestamptz[],
    new_block bigint, new_root bytea, new_metadata json, new_recorded_at timestamptz, seal bytea
) RETURNS bigint LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    created integer := 0;
    advanced integer := 0;
    gained integer := cardinality(stream_ids);
    last_position bigint;
BEGIN
    IF cardinality(keys) > 0 THEN
        -- A key that another transaction is about to answer is not waited for.
        IF NOT (SELECT bool_and(pg_try_advisory_xact_lock(
                           hashtextextended(given.c || E'\n' || given.k, 0)))
                FROM unnest(clients, keys) AS given (c, k)) THEN
            RAISE serialization_failure USING MESSAGE = 'a key is being answered';
        END IF;
        INSERT INTO idempotency (client, key, fingerprint, status, answer)
            SELECT * FROM unnest(clients, keys, fingerprints, statuses, answers)
            ON CONFLICT ON CONSTRAINT idempotency_pkey DO NOTHING;
        GET DIAGNOSTICS created = ROW_COUNT;
        IF created < cardinality(keys) THEN
            RAISE serialization_failure USING MESSAGE = 'a key has been answered';
        END IF;
    END IF;
    IF gained = 0 THEN
        RETURN NULL;
    END IF;

    created := 0;
    IF 0 = ANY (expected) THEN
        INSERT INTO streams (stream_id, version, state, state_version)
            SELECT given.id, given.v, given.s, given.sv
            FROM unnest(ids, expected, versions, states, shapes) AS given (id, e, v, s, sv)
            WHERE given.e = 0 ORDER BY given.id COLLATE "C"
            ON CONFLICT ON CONSTRAINT streams_pkey DO NOTHING;
        GET DIAGNOSTICS created = ROW_COUNT;
    END IF;
    IF 0 < ANY (expected) THEN
        MERGE INTO streams USING ( -- as in advance_streams
            SELECT given.* FROM unnest(ids, expected, versions, states, shapes)
                AS given (id, e, v, s, sv)
            WHERE given.e > 0 ORDER BY given.id COLLATE "C"
        ) AS new ON streams.stream_id = new.id
        WHEN MATCHED AND streams.version = new.e THEN
            UPDATE SET version = new.v, state = new.s, state_version = new.sv
        WHEN NOT MATCHED AND new.e < 0 THEN
            INSERT (stream_id, version) VALUES (new.id, new.v);
        GET DIAGNOSTICS advanced = ROW_COUNT;
    END IF;
    IF created + advanced < cardinality(ids) THEN
        RAISE serialization_failure USING MESSAGE = 'a stream was moved';
    END IF;

    INSERT INTO events
        SELECT new_block, n - 1, id, v, t, sv, d, md, topic,
               CASE WHEN topic IS NOT NULL THEN coalesce(k, '') END, m, o
        FROM unnest(stream_ids, event_versions, types, schema_versions, event_data, event_metadata,
                    topics, event_keys, messages, moments)
            WITH ORDINALITY AS given (id, v, t, sv, d, md, topic, k, m, o, n);
    WITH moved AS (
        UPDATE head SET position = position + gained,
                        hash = sha256(hash || int8send(position + 1) || seal)
        WHERE epoch = told_epoch
        RETURNING position, hash, pg_notify('appended', '')
    )
    INSERT INTO blocks (first_position, block, count, root, head, metadata, recorded_at)
        SELECT position - gained + 1, new_block, gained, new_root,
               hash, new_metadata, new_recorded_at FROM moved
        RETURNING first_position + count - 1 INTO last_position;
    IF last_position IS NULL THEN
        RAISE serialization_failure USING MESSAGE = 'the store was restored';
    END IF;
    RETURN last_position;
END $$;

-- migrate:down
DROP FUNCTION append_singles;
ALTER FUNCTION advance_streams RESET plan_cache_mode;
