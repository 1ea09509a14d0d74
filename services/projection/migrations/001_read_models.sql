-- migrate:up
-- Read models. Every row is a keyed upsert of what one message says, so that a rebuild comes to
-- the same bytes whatever order the partitions are read in; sums are made when they are asked for.

CREATE TABLE designation (
    family uuid PRIMARY KEY,
    tahap  text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    region text NOT NULL
);

CREATE TABLE graduation (
    family uuid PRIMARY KEY,
    tahap  text NOT NULL,
    kind   text NOT NULL,
    region text NOT NULL
);

-- The latest revision of a cycle.
CREATE TABLE evaluation (
    tahap    text NOT NULL,
    family   uuid NOT NULL,
    revision integer NOT NULL,
    result   text NOT NULL,
    counter  integer NOT NULL,
    failing  integer[] NOT NULL,   -- members that failed a duty, ascending
    duties   json NOT NULL,
    PRIMARY KEY (tahap, family)
);

-- One row a payment; each message fills its own columns.
CREATE TABLE payment (
    payment        uuid PRIMARY KEY,
    tahap          text,
    family         uuid,
    kind           text,
    region         text,
    components     text,           -- CATEGORY:members joined by ;
    amount         bigint,
    payee_valid    boolean,
    benefit_policy text,
    check_failure  text,
    withheld       text,           -- why it is not paid though it is owed
    instructed     boolean,
    bank           text,
    transfer       text,           -- CREDITED or the bank's failing code
    hold           text,           -- at the moment of credit
    bank_reference text
);
CREATE INDEX payment_of_tahap ON payment (tahap, family);

-- Rupiah that moved later, at the tahap because of which it moved.
CREATE TABLE movement (
    payment  uuid NOT NULL,
    what     text NOT NULL CHECK (what IN ('RELEASED', 'RETURNED')),
    at_tahap text NOT NULL,
    family   uuid NOT NULL,
    amount   bigint NOT NULL,
    reason   text NOT NULL,
    PRIMARY KEY (payment, what, at_tahap)
);
CREATE INDEX movement_at_tahap ON movement (at_tahap, family);

CREATE TABLE timeline (
    family   uuid NOT NULL,
    source   text NOT NULL,
    position bigint NOT NULL,
    at       timestamptz NOT NULL,
    type     text NOT NULL,
    body     json NOT NULL,
    PRIMARY KEY (family, source, position)
);

CREATE TABLE tahap_event (
    tahap    text NOT NULL,
    position bigint NOT NULL,
    at       timestamptz NOT NULL,
    type     text NOT NULL,
    body     json NOT NULL,
    PRIMARY KEY (tahap, position)
);

-- A tahap's row for a family, as FORMATS.md's entitlements.csv has it.
CREATE VIEW entitlement AS
WITH moved AS (
    SELECT at_tahap AS tahap, family,
           coalesce(sum(amount) FILTER (WHERE what = 'RELEASED'), 0)::bigint AS released,
           coalesce(sum(amount) FILTER (WHERE what = 'RETURNED'), 0)::bigint AS returned
    FROM movement GROUP BY at_tahap, family
), paid AS (
    SELECT tahap, family, region, components, amount, payee_valid, withheld, check_failure,
           transfer, hold
    FROM payment WHERE amount IS NOT NULL
    UNION ALL
    SELECT tahap, family, region, '', 0, NULL, NULL, NULL, NULL, NULL FROM graduation
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
           + CASE WHEN transfer <> 'CREDITED' THEN paid.amount ELSE 0 END AS returned
FROM paid
LEFT JOIN evaluation ON evaluation.tahap = paid.tahap AND evaluation.family = paid.family
LEFT JOIN moved ON moved.tahap = paid.tahap AND moved.family = paid.family;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON designation, graduation, evaluation, payment, movement, timeline, tahap_event
    TO ${RUNTIME_ROLE};
GRANT SELECT ON entitlement TO ${RUNTIME_ROLE};

-- migrate:down
DROP VIEW entitlement;
DROP TABLE tahap_event, timeline, movement, payment, evaluation, graduation, designation;
