-- migrate:up
-- The same is said again under a later revision of the tahap: what a cancelled one has left here
-- swallows none of it.
ALTER TABLE payment_set_aside DROP CONSTRAINT payment_set_aside_pkey;
ALTER TABLE payment_set_aside ADD PRIMARY KEY (payment, revision, command, data);

-- migrate:down
DELETE FROM payment_set_aside AS earlier USING payment_set_aside AS later
WHERE (earlier.payment, earlier.command, earlier.data) = (later.payment, later.command, later.data)
  AND earlier.revision < later.revision;
ALTER TABLE payment_set_aside DROP CONSTRAINT payment_set_aside_pkey;
ALTER TABLE payment_set_aside ADD PRIMARY KEY (payment, command, data);
