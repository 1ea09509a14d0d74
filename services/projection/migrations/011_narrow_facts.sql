-- migrate:up
-- Days of births and of pregnancies leave the timelines. All that the registry says of families comes
-- again, without them, on the topic that narrows the one that was read until now.
DELETE FROM timeline WHERE source = '/services/registry'
    AND type IN ('MembersRegistered', 'MemberBorn', 'PregnancyReported', 'ReopeningProposed');
DELETE FROM consumed WHERE topic = 'pkh.registry.family.v1';
DELETE FROM parked WHERE topic = 'pkh.registry.family.v1';

-- migrate:down
