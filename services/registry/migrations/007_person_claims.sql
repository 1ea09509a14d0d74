-- migrate:up
-- The family that had a person first, whether by its card, by a birth or by a number said later.
INSERT INTO claims (kind, token, stream_id)
SELECT DISTINCT ON (token) 'person', token, stream_id
FROM (SELECT json_array_elements_text(data -> 'persons') AS token, stream_id, block, ord
      FROM events WHERE type = 'PersonsRegistered') AS known
JOIN blocks USING (block)
ORDER BY token, first_position, ord;

-- migrate:down
DELETE FROM claims WHERE kind = 'person';
