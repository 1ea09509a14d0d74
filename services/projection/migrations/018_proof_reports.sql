-- migrate:up
-- Who proved the platform's logs and when, as they reported it: notes of people, no messages, so a rebuild keeps them.
CREATE TABLE proof_report (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('VERIFICATION', 'WITNESS')),
    reported_at timestamptz NOT NULL,
    reported_by text NOT NULL,
    findings    integer NOT NULL CHECK (findings >= 0)
);
CREATE INDEX proof_report_of_kind ON proof_report (kind, number DESC);
GRANT SELECT, INSERT ON proof_report TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE proof_report;
