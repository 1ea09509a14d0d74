-- migrate:up
-- Families that were re-opened behind a frozen list. Their lines stand beside those that people
-- approved, which never change; line and evaluation come in either order.
CREATE TABLE late_line (
    tahap       text NOT NULL,
    family      uuid NOT NULL,
    revision    integer,             -- of the roster line; null before it came
    outcome     text,
    roster_hash numeric(20, 0),
    line        json,                -- the roster's message; account and payee sealed
    evaluated   integer,             -- revision of the evaluation; null before it came
    cut_percent integer NOT NULL DEFAULT 0,  -- by the evaluation
    PRIMARY KEY (tahap, family)
);

-- By which line a family is paid by a supplementary run.
CREATE VIEW supplementary_line AS
SELECT tahap, family, revision, outcome, roster_hash, line, evaluated, cut_percent
FROM late_line WHERE revision IS NOT NULL
UNION ALL
SELECT tahap, family, revision, outcome, roster_hash, line, evaluated, cut_percent
FROM list_line
WHERE NOT EXISTS (SELECT FROM late_line WHERE late_line.tahap = list_line.tahap
                  AND late_line.family = list_line.family AND late_line.revision IS NOT NULL);

GRANT SELECT, INSERT, UPDATE ON late_line TO ${RUNTIME_ROLE};
GRANT SELECT ON supplementary_line TO ${RUNTIME_ROLE};

-- migrate:down
DROP VIEW supplementary_line;
DROP TABLE late_line;
