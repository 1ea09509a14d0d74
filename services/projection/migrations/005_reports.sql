-- migrate:up
-- What Grafana may see: sums by tahap and regency, and no family. A view reads as its owner does,
-- so the reader needs nothing of the tables beneath.

-- A regency is the first two parts of a region's code.
CREATE VIEW report_payments AS
SELECT tahap, split_part(region, '.', 1) || '.' || split_part(region, '.', 2) AS regency,
       split_part(disposition, '+', 1) AS disposition,
       count(*) AS families,
       sum(amount)::bigint AS rupiah,
       sum(released)::bigint AS released,
       sum(returned)::bigint AS returned
FROM entitlement GROUP BY 1, 2, 3;

CREATE VIEW report_failures AS
SELECT tahap, reason, count(*) AS families, sum(amount)::bigint AS rupiah
FROM (SELECT tahap, amount,
             CASE WHEN account_check NOT IN ('', 'OK') THEN account_check
                  WHEN transfer NOT IN ('', 'CREDITED') THEN transfer
                  WHEN disposition LIKE 'NO_VALID_PAYEE%' THEN 'NO_VALID_PAYEE' END AS reason
      FROM entitlement) AS each
WHERE reason IS NOT NULL GROUP BY 1, 2;

CREATE VIEW report_commitment AS
SELECT tahap, result, count(*) AS families FROM evaluation GROUP BY 1, 2;

-- The documents and decisions of a tahap, each with the business date that it carries.
CREATE VIEW report_documents AS
SELECT tahap, at::date AS dated, type AS document, count(*) AS times, min(position) AS place
FROM tahap_event GROUP BY 1, 2, 3;

GRANT SELECT ON report_payments, report_failures, report_commitment, report_documents
    TO ${GRAFANA_ROLE};

-- migrate:down
DROP VIEW report_documents, report_commitment, report_failures, report_payments;
