-- migrate:up
-- An appeal that conditionality refused waits for nobody; one whose last decision it took for none waits for
-- somebody else's. Its word and the case's come on two topics, in either order.
ALTER TABLE appeal
    ADD COLUMN decision integer NOT NULL DEFAULT 1,          -- which of its decisions the outcome is
    ADD COLUMN refused_decision integer NOT NULL DEFAULT 0,  -- the last that was taken for none
    ADD COLUMN refused text NOT NULL DEFAULT '';             -- why the appeal itself is none

UPDATE appeal SET refused = told.body ->> 'reason'
FROM timeline AS told
WHERE told.family = appeal.family AND told.type = 'AppealNotPaused'
  AND told.body ->> 'case' = appeal.case_id::text
  AND told.body ->> 'reason' IN ('OUTSIDE_REGIONS', 'ANOTHER_IS_OPEN', 'APPEALED_TOO_OFTEN');
UPDATE appeal SET decision = (told.body ->> 'decision')::integer
FROM timeline AS told
WHERE told.family = appeal.family AND told.type = 'AppealDecided'
  AND told.body ->> 'case' = appeal.case_id::text AND told.body ->> 'decision' IS NOT NULL
  AND NOT EXISTS (SELECT FROM timeline AS later
                  WHERE later.family = told.family AND later.type = 'AppealDecided'
                    AND later.body ->> 'case' = told.body ->> 'case'
                    AND later.position > told.position);
UPDATE appeal SET refused_decision = coalesce(
    (SELECT max((told.body ->> 'decision')::integer) FROM timeline AS told
     WHERE told.family = appeal.family AND told.type = 'AppealDecisionRefused'
       AND told.body ->> 'case' = appeal.case_id::text), 0);

-- migrate:down
ALTER TABLE appeal DROP COLUMN decision, DROP COLUMN refused_decision, DROP COLUMN refused;
