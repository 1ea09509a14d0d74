-- migrate:up
-- What a failed cycle cuts of an entitlement, where its rules cut instead of holding.
ALTER TABLE payment ADD COLUMN cut bigint;   -- rupiah; they count once the payment was in the order

CREATE OR REPLACE VIEW tahap_row AS
WITH moved AS (
    SELECT at_tahap AS tahap, family,
           coalesce(sum(amount) FILTER (WHERE what = 'RELEASED'), 0)::bigint AS released,
           coalesce(sum(amount) FILTER (WHERE what = 'RETURNED'), 0)::bigint AS returned
    FROM movement GROUP BY at_tahap, family
), paid AS (
    SELECT tahap, family, region, components, amount, payee_valid, withheld, check_failure,
           transfer, hold, CASE WHEN transfer IS NULL THEN 0 ELSE coalesce(cut, 0) END AS cut
    FROM payment WHERE amount IS NOT NULL
    UNION ALL
    SELECT tahap, family, region, '', 0, NULL, NULL, NULL, NULL, NULL, 0 FROM graduation
)
SELECT paid.tahap, paid.family, paid.region, paid.components, paid.amount,
       coalesce(evaluation.result, '') AS commitment,
       coalesce(evaluation.failing, '{}') AS failing,
       CASE WHEN payee_valid IS NULL THEN 'GRADUATED_NATURAL'
            WHEN NOT payee_valid THEN 'NO_VALID_PAYEE'
            WHEN withheld IS NOT NULL THEN 'WITHHELD'
            WHEN check_failure IS NOT NULL THEN 'ACCOUNT_FAILED'
            WHEN transfer IS NULL THEN 'PENDING'
            WHEN transfer <> 'CREDITED' THEN 'TRANSFER_FAILED'
            WHEN hold = 'HELD' THEN 'BLOCKED'
            ELSE 'PAID' END AS disposition,
       CASE WHEN payee_valid IS NOT TRUE THEN ''
            WHEN check_failure IS NOT NULL THEN check_failure
            WHEN transfer IS NULL THEN '' ELSE 'OK' END AS account_check,
       coalesce(transfer, '') AS transfer,
       coalesce(moved.released, 0) AS released,
       coalesce(moved.returned, 0)
           + CASE WHEN transfer <> 'CREDITED' THEN paid.amount - paid.cut ELSE 0 END AS returned,
       paid.cut
FROM paid
LEFT JOIN evaluation ON evaluation.tahap = paid.tahap AND evaluation.family = paid.family
LEFT JOIN moved ON moved.tahap = paid.tahap AND moved.family = paid.family;

CREATE OR REPLACE VIEW entitlement AS
SELECT tahap_row.tahap, tahap_row.family, region, components, amount, commitment, failing,
       disposition || CASE WHEN standing IN ('INVESTIGATION', 'TERMINATED', 'CLEARED')
                           THEN '+' || standing ELSE '' END AS disposition,
       account_check, transfer, released, returned, cut
FROM tahap_row
LEFT JOIN investigation
       ON investigation.tahap = tahap_row.tahap AND investigation.family = tahap_row.family;

CREATE OR REPLACE VIEW report_payments AS
SELECT tahap, split_part(region, '.', 1) || '.' || split_part(region, '.', 2) AS regency,
       split_part(disposition, '+', 1) AS disposition,
       count(*) AS families,
       sum(amount)::bigint AS rupiah,
       sum(released)::bigint AS released,
       sum(returned)::bigint AS returned,
       sum(cut)::bigint AS cut
FROM entitlement GROUP BY 1, 2, 3;

-- migrate:down
-- A view gives up a column only where it is made anew.
DROP VIEW report_payments, report_failures, entitlement, tahap_row;
