-- migrate:up
-- The offset of the last message that was looked at, and how many messages came again behind it: their
-- positions had been taken in already, so they had no effect. A transport that delivers twice gives the same
-- offset again; a message that stands on the topic a second time was sent a second time, by whomever.

ALTER TABLE consumed ADD COLUMN looked_at bigint;
ALTER TABLE consumed ADD COLUMN again bigint NOT NULL DEFAULT 0;
ALTER TABLE consumed ADD COLUMN again_at bigint;

-- migrate:down
ALTER TABLE consumed DROP COLUMN again_at;
ALTER TABLE consumed DROP COLUMN again;
ALTER TABLE consumed DROP COLUMN looked_at;
