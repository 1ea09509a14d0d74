-- migrate:up
-- A tahap is cancelled until its payment is ordered: what its run had goes with it.
GRANT DELETE ON run_line, payment_of, late_line TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE DELETE ON run_line, payment_of, late_line FROM ${RUNTIME_ROLE};
