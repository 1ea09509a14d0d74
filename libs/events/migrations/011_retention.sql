-- migrate:up
-- What requests leave behind goes after a time (libs/chassis/retention.py): answers that are kept
-- for a key, and uploads that have ended. Nothing of the log can be deleted by a service.

CREATE INDEX idempotency_recorded ON idempotency (recorded_at);

GRANT DELETE ON idempotency, job TO ${RUNTIME_ROLE};

-- migrate:down
REVOKE DELETE ON idempotency, job FROM ${RUNTIME_ROLE};
DROP INDEX idempotency_recorded;
