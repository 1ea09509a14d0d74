-- migrate:up
-- A payment that was entitled and then deferred: a supplementary one stands in its tahap's row.
ALTER TABLE payment ADD COLUMN deferred text;   -- why it left its run

CREATE OR REPLACE VIEW tahap_row AS
WITH moved AS (
    SELECT at_tahap AS tahap, family,
           coalesce(sum(amount) FILTER (WHERE what = 'RELEASED'), 0)::bigint AS released,
           coalesce(sum(amount) FILTER (WHERE what = 'RETURNED'), 0)::bigint AS returned
    FROM movement GROUP BY at_tahap, family
), unpaid AS (
    SELECT tahap, family, region, standing FROM without_category
    UNION ALL
    SELECT tahap, family, region, 'GRADUATED_NATURAL' FROM graduation
    WHERE NOT EXISTS (SELECT FROM without_category AS reopened
                      WHERE reopened.tahap = graduation.tahap
                        AND reopened.family = graduation.family AND standing = 'REOPENED')
), paid AS (
    SELECT tahap, family, region, components, amount, payee_valid, withheld, check_failure,
           transfer, hold, CASE WHEN transfer IS NULL THEN 0 ELSE coalesce(cut, 0) END AS cut,
           NULL AS standing
    FROM payment WHERE amount IS NOT NULL AND deferred IS NULL
    UNION ALL
    SELECT tahap, family, region, '', 0, NULL, NULL, NULL, NULL, NULL, 0, standing
    FROM unpaid
    WHERE NOT EXISTS (SELECT FROM payment WHERE payment.tahap = unpaid.tahap
                      AND payment.family = unpaid.family AND amount IS NOT NULL AND deferred IS NULL)
)
SELECT paid.tahap, paid.family, paid.region, paid.components, paid.amount,
       coalesce(evaluation.result, '') AS commitment,
       coalesce(evaluation.failing, '{}') AS failing,
       CASE WHEN standing IS NOT NULL THEN standing
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

-- migrate:down
CREATE OR REPLACE VIEW tahap_row AS
WITH moved AS (
    SELECT at_tahap AS tahap, family,
           coalesce(sum(amount) FILTER (WHERE what = 'RELEASED'), 0)::bigint AS released,
           coalesce(sum(amount) FILTER (WHERE what = 'RETURNED'), 0)::bigint AS returned
    FROM movement GROUP BY at_tahap, family
), unpaid AS (
    SELECT tahap, family, region, standing FROM without_category
    UNION ALL
    SELECT tahap, family, region, 'GRADUATED_NATURAL' FROM graduation
    WHERE NOT EXISTS (SELECT FROM without_category AS reopened
                      WHERE reopened.tahap = graduation.tahap
                        AND reopened.family = graduation.family AND standing = 'REOPENED')
), paid AS (
    SELECT tahap, family, region, components, amount, payee_valid, withheld, check_failure,
           transfer, hold, CASE WHEN transfer IS NULL THEN 0 ELSE coalesce(cut, 0) END AS cut,
           NULL AS standing
    FROM payment WHERE amount IS NOT NULL
    UNION ALL
    SELECT tahap, family, region, '', 0, NULL, NULL, NULL, NULL, NULL, 0, standing
    FROM unpaid
    WHERE NOT EXISTS (SELECT FROM payment WHERE payment.tahap = unpaid.tahap
                      AND payment.family = unpaid.family AND amount IS NOT NULL)
)
SELECT paid.tahap, paid.family, paid.region, paid.components, paid.amount,
       coalesce(evaluation.result, '') AS commitment,
       coalesce(evaluation.failing, '{}') AS failing,
       CASE WHEN standing IS NOT NULL THEN standing
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

ALTER TABLE payment DROP COLUMN deferred;
