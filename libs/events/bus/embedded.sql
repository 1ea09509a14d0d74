-- The embedded bus: a log in a PostgreSQL database of its own. Applied as a whole, again and again.
--
-- A partition is a row of bus.tails and its segments. The tail's row lock, held until commit,
-- makes the segments of a partition visible in the order of their offsets: a reader that has seen
-- an end can never be overtaken by something that commits later below it.
--
-- Who calls a function is its session_user: that role's rights say what it does. The functions work
-- as the owner, and no other role writes any table or reads a record but through them.

CREATE SCHEMA IF NOT EXISTS bus;

-- The id is the topic's life: deleted and made again under the same name, it is another topic, and
-- offsets and producers of the former one do not count.
CREATE TABLE IF NOT EXISTS bus.topics (
    id         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text    NOT NULL UNIQUE,
    partitions integer NOT NULL CHECK (partitions > 0)
);

CREATE TABLE IF NOT EXISTS bus.tails (
    topic       bigint  NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- The records of one partition and send, packed. STORAGE EXTERNAL: compressing them costs a writer
-- more than the bytes it saves.
CREATE TABLE IF NOT EXISTS bus.segments (
    topic      bigint  NOT NULL,
    partition  integer NOT NULL,
    end_offset bigint  NOT NULL, -- the offset behind its last record
    count      integer NOT NULL CHECK (count > 0),
    payload    bytea   STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (topic, partition, end_offset)
);

-- As a sender makes them (segments.py): `fetch` finds none that is longer, and no reader holds more.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'segments_fit') THEN
        ALTER TABLE bus.segments ADD CONSTRAINT segments_fit
            CHECK (count <= 1000 AND octet_length(payload) <= 4000000);
    END IF;
END $$;

-- The generation goes up whenever the members of a group or the topics they read change. Whoever
-- changes either locks the group's row first, so that both are always seen together.
CREATE TABLE IF NOT EXISTS bus.groups (
    name       text   PRIMARY KEY,
    generation bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS bus.members (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name text        NOT NULL,
    topics     text[]      NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS members_group_name ON bus.members (group_name);

CREATE TABLE IF NOT EXISTS bus.committed (
    group_name  text    NOT NULL,
    topic       bigint  NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

-- The rights of every role but the owner, written anew by each `migrate`. A reader is in the group that
-- is named here, or in one whose name goes on from it behind a hyphen.
CREATE TABLE IF NOT EXISTS bus.senders (
    role  text NOT NULL,
    topic text NOT NULL,
    PRIMARY KEY (role, topic)
);
CREATE TABLE IF NOT EXISTS bus.readers (
    role       text NOT NULL,
    topic      text NOT NULL,
    group_name text NOT NULL,
    PRIMARY KEY (role, topic)
);

-- -- Rights

-- True for the owner, as whom functions work, and for a superuser.
CREATE OR REPLACE FUNCTION bus.is_owner() RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT pg_has_role(session_user, current_user, 'USAGE');
$$;

CREATE OR REPLACE FUNCTION bus.require(allowed boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT allowed THEN
        RAISE insufficient_privilege USING MESSAGE = 'the bus gives this role no right to that';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION bus.may_send(names text[]) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT bus.is_owner()
        OR names <@ ARRAY(SELECT topic FROM bus.senders WHERE role = session_user);
$$;

CREATE OR REPLACE FUNCTION bus.may_read(of_group text, names text[]) RETURNS boolean
STABLE LANGUAGE sql AS $$
    SELECT bus.is_owner() OR EXISTS (
        SELECT FROM bus.readers r
        WHERE r.role = session_user
          AND (of_group = r.group_name OR starts_with(of_group, r.group_name || '-'))
        HAVING count(*) > 0 AND names <@ array_agg(r.topic)
    );
$$;

CREATE OR REPLACE FUNCTION bus.names_of(ids bigint[]) RETURNS text[] STABLE LANGUAGE sql AS $$
    SELECT coalesce(array_agg(name), '{}') FROM bus.topics WHERE id = ANY (ids);
$$;

-- -- Records

-- Appends segments, all or none. The caller gives them in order of topic and partition, or two
-- sends could wait for each other's tails.
CREATE OR REPLACE FUNCTION bus.send(
    topics bigint[], partitions integer[], counts integer[], payloads bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    segment record;
    behind  bigint;
BEGIN
    PERFORM bus.require(bus.may_send(bus.names_of(topics)));
    FOR segment IN
        SELECT * FROM unnest(topics, partitions, counts, payloads)
            WITH ORDINALITY AS s (topic, partition, count, payload, place) ORDER BY place
    LOOP
        UPDATE bus.tails t SET next_offset = t.next_offset + segment.count
            WHERE t.topic = segment.topic AND t.partition = segment.partition
            RETURNING t.next_offset INTO behind;
        IF NOT FOUND THEN
            RAISE undefined_object USING MESSAGE = 'the topic or partition is no longer there';
        END IF;
        INSERT INTO bus.segments
            VALUES (segment.topic, segment.partition, behind, segment.count, segment.payload);
    END LOOP;
    PERFORM pg_notify('bus', topic::text) FROM (SELECT DISTINCT unnest(topics) AS topic) AS d;
END $$;

-- -- Topics

-- A new generation for the groups that read a topic.
CREATE OR REPLACE FUNCTION bus.regroup(topic_name text) RETURNS void LANGUAGE sql AS $$
    UPDATE bus.groups SET generation = generation + 1 WHERE name IN (
        SELECT g.name FROM bus.groups g
        WHERE g.name IN (SELECT group_name FROM bus.members WHERE topic_name = ANY (topics))
        ORDER BY g.name FOR UPDATE
    );
    SELECT pg_notify('bus', '');
$$;

-- The partition count of a topic, which is made with `wanted` partitions where it is missing.
CREATE OR REPLACE FUNCTION bus.ensure_topic(topic_name text, wanted integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made  bigint;
    count integer := (SELECT partitions FROM bus.topics WHERE name = topic_name);
BEGIN
    IF count IS NOT NULL THEN
        RETURN count;
    END IF;
    PERFORM bus.require(bus.may_send(ARRAY[topic_name]));
    INSERT INTO bus.topics (name, partitions) VALUES (topic_name, wanted)
        ON CONFLICT (name) DO NOTHING RETURNING id INTO made;
    IF made IS NOT NULL THEN
        INSERT INTO bus.tails (topic, partition) SELECT made, generate_series(0, wanted - 1);
        PERFORM bus.regroup(topic_name);
    END IF;
    RETURN (SELECT partitions FROM bus.topics WHERE name = topic_name);
END $$;

CREATE OR REPLACE FUNCTION bus.delete_topic(topic_name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM bus.topics WHERE name = topic_name RETURNING id INTO gone;
    IF gone IS NULL THEN
        RETURN;
    END IF;
    -- In the order in which senders take them, so that neither waits for the other for ever.
    PERFORM 1 FROM bus.tails WHERE topic = gone ORDER BY partition FOR UPDATE;
    DELETE FROM bus.tails WHERE topic = gone;
    DELETE FROM bus.segments WHERE topic = gone;
    DELETE FROM bus.committed WHERE topic = gone;
    PERFORM bus.regroup(topic_name);
END $$;

-- -- Groups

-- Removes the members whose lease has run out; whether there were any. The group is locked.
CREATE OR REPLACE FUNCTION bus.expel(of_group text) RETURNS boolean LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM bus.members
        WHERE group_name = of_group AND expires_at < clock_timestamp() RETURNING id
    )
    SELECT EXISTS (SELECT FROM gone);
$$;

-- A new generation, the group made where it is missing; keeps the group locked until commit.
CREATE OR REPLACE FUNCTION bus.next_generation(of_group text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bus.groups VALUES (of_group, 1)
        ON CONFLICT (name) DO UPDATE SET generation = groups.generation + 1;
    SELECT pg_notify('bus', '');
$$;

-- A new member of a group; its id. Refused where a topic is missing.
CREATE OR REPLACE FUNCTION bus.join_group(of_group text, wanted text[], lease interval)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    member bigint;
BEGIN
    PERFORM bus.require(bus.may_read(of_group, wanted));
    PERFORM bus.next_generation(of_group);
    PERFORM bus.expel(of_group);
    IF EXISTS (SELECT FROM unnest(wanted) AS w WHERE w NOT IN (SELECT name FROM bus.topics)) THEN
        RAISE undefined_object USING MESSAGE = 'one of the topics does not exist';
    END IF;
    INSERT INTO bus.members (group_name, topics, expires_at)
        VALUES (of_group, wanted, clock_timestamp() + lease) RETURNING id INTO member;
    RETURN member;
END $$;

CREATE OR REPLACE FUNCTION bus.leave_group(of_group text, member bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM bus.require(bus.may_read(of_group, '{}'));
    PERFORM FROM bus.groups WHERE name = of_group FOR UPDATE;
    DELETE FROM bus.members WHERE id = member AND group_name = of_group;
    IF FOUND THEN
        PERFORM bus.next_generation(of_group);
    END IF;
END $$;

-- Renews a member's lease and expels those whose lease has run out; false when the member itself
-- is no longer one.
CREATE OR REPLACE FUNCTION bus.heartbeat(of_group text, member bigint, lease interval)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    alive boolean;
BEGIN
    PERFORM bus.require(bus.may_read(of_group, '{}'));
    PERFORM FROM bus.groups WHERE name = of_group FOR UPDATE;
    UPDATE bus.members SET expires_at = clock_timestamp() + lease
        WHERE id = member AND group_name = of_group;
    alive := FOUND;
    IF bus.expel(of_group) THEN
        PERFORM bus.next_generation(of_group);
    END IF;
    RETURN alive;
END $$;

-- Stores a group's next offsets for a member of the given generation; false for any other. The
-- share lock makes a rebalance wait, so that a new owner never starts below an accepted commit.
CREATE OR REPLACE FUNCTION bus.commit_offsets(
    of_group text, at_generation bigint, member bigint,
    topics bigint[], partitions integer[], offsets bigint[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM bus.require(bus.may_read(of_group, '{}'));
    PERFORM FROM bus.groups g JOIN bus.members m ON m.group_name = g.name
        WHERE g.name = of_group AND g.generation = at_generation AND m.id = member
        FOR SHARE OF g;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO bus.committed (group_name, topic, partition, next_offset)
        SELECT of_group, * FROM unnest(topics, partitions, offsets)
        ON CONFLICT (group_name, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset;
    RETURN true;
END $$;
DROP FUNCTION IF EXISTS bus.commit_offset;

-- The partitions that each topic of a group has to share out, and the members who share them. A
-- row without a topic names the members none of whose topics exist.
CREATE OR REPLACE FUNCTION bus.shares(of_group text)
RETURNS TABLE (generation bigint, topic bigint, name text, partitions integer, members bigint[])
STABLE LANGUAGE sql AS $$
    SELECT g.generation, t.id, t.name, t.partitions, array_agg(m.id ORDER BY m.id)
    FROM bus.groups g
    JOIN bus.members m ON m.group_name = g.name
    LEFT JOIN bus.topics t ON t.name = ANY (m.topics)
    WHERE g.name = of_group
    GROUP BY g.generation, t.id, t.name, t.partitions;
$$;

-- Where a group goes on in each of the given partitions: what it has committed, or the earliest
-- record where it has not, or where that offset does not exist (any longer).
CREATE OR REPLACE FUNCTION bus.positions(of_group text, topics bigint[], partitions integer[])
RETURNS TABLE (topic bigint, partition integer, next_offset bigint) STABLE LANGUAGE sql AS $$
    SELECT t.topic, t.partition,
        CASE WHEN c.next_offset BETWEEN 0 AND t.next_offset THEN c.next_offset ELSE 0 END
    FROM unnest(topics, partitions) AS w (topic, partition)
    JOIN bus.tails t USING (topic, partition)
    LEFT JOIN bus.committed c
        ON c.group_name = of_group AND c.topic = t.topic AND c.partition = t.partition;
$$;

-- The group's generation and, if it is `at_generation`, the segments that hold up to `records`
-- records behind each of the positions; of each partition no more than about `bytes`.
CREATE OR REPLACE FUNCTION bus.segments_behind(
    of_group text, at_generation bigint, topics bigint[], partitions integer[], positions bigint[],
    records integer, segment_records integer, bytes bigint
) RETURNS TABLE (
    generation bigint, topic bigint, partition integer, end_offset bigint, count integer,
    payload bytea
) STABLE LANGUAGE sql AS $$
    SELECT g.generation, f.topic, f.partition, f.end_offset, f.count, f.payload
    FROM bus.groups g
    LEFT JOIN LATERAL (
        SELECT w.topic, w.partition, s.end_offset, s.count, s.payload
        FROM unnest(topics, partitions, positions) AS w (topic, partition, position)
        CROSS JOIN LATERAL (
            SELECT n.*, sum(octet_length(n.payload)) OVER (ORDER BY n.end_offset)
                - octet_length(n.payload) AS bytes_before
            FROM bus.segments n
            WHERE n.topic = w.topic AND n.partition = w.partition
              AND n.end_offset > w.position
              AND n.end_offset - n.count < w.position + records
              -- Says nothing new, but ends the scan of the index.
              AND n.end_offset < w.position + records + segment_records
        ) AS s
        WHERE s.bytes_before < bytes
    ) AS f ON g.generation = at_generation
    WHERE g.name = of_group
    ORDER BY f.topic, f.partition, f.end_offset;
$$;

-- As `segments_behind`, for a reader of these topics.
CREATE OR REPLACE FUNCTION bus.fetch(
    of_group text, at_generation bigint, topics bigint[], partitions integer[], positions bigint[],
    records integer, segment_records integer, bytes bigint
) RETURNS TABLE (
    generation bigint, topic bigint, partition integer, end_offset bigint, count integer,
    payload bytea
) STABLE LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT bus.require(bus.may_read(of_group, bus.names_of(topics)));
    SELECT * FROM bus.segments_behind(
        of_group, at_generation, topics, partitions, positions, records, segment_records, bytes);
$$;

-- The last segment of each partition of a topic, for who sends there.
CREATE OR REPLACE FUNCTION bus.last_segments(of_topic text)
RETURNS TABLE (partition integer, end_offset bigint, count integer, payload bytea)
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT bus.require(bus.may_send(ARRAY[of_topic]));
    SELECT t.partition, s.end_offset, s.count, s.payload
    FROM bus.topics n JOIN bus.tails t ON t.topic = n.id
    JOIN bus.segments s ON s.topic = t.topic AND s.partition = t.partition
        AND s.end_offset = t.next_offset
    WHERE n.name = of_topic;
$$;

-- -- Doors

-- Nobody else holds a right to a table by name, whatever an older platform or defaults gave. How
-- far topics and groups are is no secret among those who may use the schema; records are.
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT c.relname, a.grantee::regrole AS role
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.relnamespace = 'bus'::regnamespace AND a.grantee NOT IN (0, c.relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON bus.%I FROM %s', held.relname, held.role);
    END LOOP;
END $$;
GRANT SELECT ON bus.topics, bus.tails, bus.groups, bus.members, bus.committed TO PUBLIC;
