-- migrate:up
-- The families that the registry could not list, each with the code of why: {family: code}.

ALTER TABLE list_proof ADD COLUMN withheld json NOT NULL DEFAULT '{}';

-- What a run is in trouble with stands with everything that the leader's work fails at.
ALTER TABLE run_open DROP COLUMN trouble;

-- migrate:down
ALTER TABLE run_open ADD COLUMN trouble text;
ALTER TABLE list_proof DROP COLUMN withheld;
