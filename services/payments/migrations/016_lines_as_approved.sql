-- migrate:up
-- A line of a list is what the registry sent: the service adds one, or its next form, by a function of
-- the owner's, and changes none by itself. What two people approved is computed again from the lines
-- when their families are entitled; `source`, the hash of a payment's line then, is held against the
-- line whenever a file is made.
ALTER TABLE run_line ADD COLUMN source text;

UPDATE run_line SET source = encode(substr(sha256(convert_to(line::text, 'UTF8')), 1, 8), 'hex')
FROM run_open, list_line
WHERE (run_open.tahap, run_open.kind) = (run_line.tahap, run_line.kind)
  AND (list_line.tahap, list_line.family) = (run_line.tahap, run_line.family)
  AND run_line.kind = 'REGULAR';
UPDATE run_line SET source = encode(substr(sha256(convert_to(line::text, 'UTF8')), 1, 8), 'hex')
FROM run_open, supplementary_line
WHERE (run_open.tahap, run_open.kind) = (run_line.tahap, run_line.kind)
  AND (supplementary_line.tahap, supplementary_line.family) = (run_line.tahap, run_line.family)
  AND run_line.kind <> 'REGULAR';

CREATE FUNCTION keep_lines(
    tahaps text[], families uuid[], revisions integer[], outcomes text[], hashes numeric[],
    texts json[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO list_line (tahap, family, revision, outcome, roster_hash, line)
    SELECT * FROM unnest(tahaps, families, revisions, outcomes, hashes, texts)
    ON CONFLICT (tahap, family) DO UPDATE SET revision = excluded.revision,
        outcome = excluded.outcome, roster_hash = excluded.roster_hash, line = excluded.line
    WHERE list_line.revision IS NULL OR list_line.revision <= excluded.revision
$$;

-- A list that has taken the line up keeps it: the first one stands.
CREATE FUNCTION keep_late_line(
    of_tahap text, of_family uuid, its_revision integer, its_outcome text, its_hash numeric,
    its_text json
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO late_line (tahap, family, revision, outcome, roster_hash, line)
    VALUES (of_tahap, of_family, its_revision, its_outcome, its_hash, its_text)
    ON CONFLICT (tahap, family) DO UPDATE SET revision = excluded.revision,
        outcome = excluded.outcome, roster_hash = excluded.roster_hash, line = excluded.line
    WHERE late_line.revision IS NULL
$$;

-- The next lines of a tahap that is being taken back are gone; how many there were.
CREATE FUNCTION forget_lines(of_tahap text, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    IF NOT EXISTS (SELECT FROM cancellation_open WHERE tahap = of_tahap) THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'the tahap is not cancelled';
    END IF;
    DELETE FROM list_line WHERE (tahap, family) IN (
        SELECT tahap, family FROM list_line WHERE tahap = of_tahap ORDER BY family LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone = 0 THEN
        DELETE FROM late_line WHERE tahap = of_tahap;
    END IF;
    RETURN gone;
END $$;

REVOKE EXECUTE ON FUNCTION keep_lines, keep_late_line, forget_lines FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_lines, keep_late_line, forget_lines TO ${RUNTIME_ROLE};
REVOKE INSERT, UPDATE, DELETE ON list_line, late_line FROM ${RUNTIME_ROLE};
GRANT INSERT (tahap, family, evaluated, result, evaluation_hash, cut_percent),
    UPDATE (evaluated, result, evaluation_hash, cut_percent) ON list_line TO ${RUNTIME_ROLE};
GRANT INSERT (tahap, family, evaluated, cut_percent), UPDATE (evaluated, cut_percent)
    ON late_line TO ${RUNTIME_ROLE};
REVOKE UPDATE ON run_line FROM ${RUNTIME_ROLE};
GRANT UPDATE (account_check, answer, deferred) ON run_line TO ${RUNTIME_ROLE};

-- migrate:down
GRANT UPDATE ON run_line TO ${RUNTIME_ROLE};
GRANT INSERT, UPDATE, DELETE ON list_line, late_line TO ${RUNTIME_ROLE};
DROP FUNCTION forget_lines;
DROP FUNCTION keep_late_line;
DROP FUNCTION keep_lines;
ALTER TABLE run_line DROP COLUMN source;
