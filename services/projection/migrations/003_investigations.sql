-- migrate:up
-- What an investigation adds to a tahap's row: INVESTIGATION where it opened, TERMINATED or CLEARED
-- at the cycle from which the decision counts (the same row, if it comes before the next closing),
-- WITHDRAWN where its ground was corrected away.
CREATE TABLE investigation (
    tahap    text NOT NULL,
    family   uuid NOT NULL,
    standing text NOT NULL,
    PRIMARY KEY (tahap, family)
);

ALTER VIEW entitlement RENAME TO tahap_row;

CREATE VIEW entitlement AS
SELECT tahap_row.tahap, tahap_row.family, region, components, amount, commitment, failing,
       disposition || CASE WHEN standing IN ('INVESTIGATION', 'TERMINATED', 'CLEARED')
                           THEN '+' || standing ELSE '' END AS disposition,
       account_check, transfer, released, returned
FROM tahap_row
LEFT JOIN investigation
       ON investigation.tahap = tahap_row.tahap AND investigation.family = tahap_row.family;

GRANT SELECT, INSERT, UPDATE, DELETE ON investigation TO ${RUNTIME_ROLE};
GRANT SELECT ON entitlement TO ${RUNTIME_ROLE};

-- migrate:down
DROP VIEW entitlement;
ALTER VIEW tahap_row RENAME TO entitlement;
DROP TABLE investigation;
