-- migrate:up
-- Every payee and account that a family ever had, so that a list can look at them as of its cut.
ALTER TABLE payee_of
    DROP CONSTRAINT payee_of_pkey,
    ADD PRIMARY KEY (family, payee, account),
    ADD COLUMN latest boolean NOT NULL DEFAULT true,        -- as last reported
    -- An account from before there were tokens has none until the lister has opened it.
    ADD COLUMN account_known boolean NOT NULL DEFAULT false;
ALTER TABLE payee_of ALTER COLUMN account_known SET DEFAULT true;
CREATE INDEX payee_of_unknown ON payee_of (family) WHERE NOT account_known;

-- Whom a list pays, and where, of families that may share an account or a payee; empty tokens
-- where it pays nobody.
CREATE TABLE listing_payee (
    tahap   text NOT NULL,
    family  uuid NOT NULL,
    payee   text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (tahap, family)
);
CREATE INDEX listing_payee_payee ON listing_payee (payee);
CREATE INDEX listing_payee_account ON listing_payee (account);

GRANT SELECT, INSERT, UPDATE, DELETE ON listing_payee TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE listing_payee;
DELETE FROM payee_of WHERE NOT latest;
ALTER TABLE payee_of
    DROP CONSTRAINT payee_of_pkey,
    DROP COLUMN latest,
    DROP COLUMN account_known,
    ADD PRIMARY KEY (family);
