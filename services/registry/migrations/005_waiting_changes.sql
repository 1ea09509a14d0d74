-- migrate:up
-- Changes that wait for a second person; each row follows from the family's stream.
CREATE TABLE change_waiting (
    family      uuid NOT NULL,
    change      integer NOT NULL,
    kind        text NOT NULL,
    batch       text NOT NULL,    -- the job of the import that brought it
    maker       text NOT NULL,
    reported_on date,
    receiver    text,             -- the region that confirms a move to it
    payee       text NOT NULL DEFAULT '',  -- tokens of who would be paid, and where
    account     text NOT NULL DEFAULT '',
    PRIMARY KEY (family, change)
);
CREATE INDEX change_waiting_batch ON change_waiting (batch, family, change);

-- Who is paid for a family as last reported, and where: tokens, by which families share them.
CREATE TABLE payee_of (
    family  uuid PRIMARY KEY,
    payee   text NOT NULL,
    account text NOT NULL          -- empty where the register is older than these tokens
);
INSERT INTO payee_of (family, payee, account)
SELECT DISTINCT ON (stream_id) substr(stream_id, 8)::uuid,
       coalesce(data #>> '{row,payee_token}', data ->> 'payee_token'), ''
FROM events WHERE type IN ('FamilyRegistered', 'PayeeChanged')
ORDER BY stream_id, data ->> 'effective_on' DESC NULLS LAST, version DESC;
CREATE INDEX payee_of_payee ON payee_of (payee);
CREATE INDEX payee_of_account ON payee_of (account);

GRANT SELECT, INSERT, DELETE ON change_waiting TO ${RUNTIME_ROLE};
GRANT SELECT, INSERT, UPDATE ON payee_of TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE payee_of, change_waiting;
