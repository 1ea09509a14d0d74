-- migrate:up
-- Erasures of families: proposed, approved, carried out. Each row follows from the family's erasure.
CREATE TABLE erasure (
    family uuid PRIMARY KEY,
    region text COLLATE "C" NOT NULL,   -- where the family lived when it was proposed
    state  text NOT NULL                -- PROPOSED, APPROVED or ERASED
);
CREATE INDEX erasure_due ON erasure (family) WHERE state = 'APPROVED';

GRANT SELECT, INSERT, UPDATE ON erasure TO ${RUNTIME_ROLE};
-- What says who an erased family was goes with its approval.
GRANT DELETE ON identity_family, identity_member, payee_of, claims TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE DELETE ON identity_family, identity_member, payee_of, claims FROM ${RUNTIME_ROLE};
DROP TABLE erasure;
