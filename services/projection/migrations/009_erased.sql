-- migrate:up
-- Erased families: nothing is told of them. Their rows of money and commitment stay for the sums.
CREATE TABLE erased_family (
    family uuid PRIMARY KEY
);

GRANT SELECT, INSERT ON erased_family TO ${RUNTIME_ROLE};

-- migrate:down
DROP TABLE erased_family;
