"""The corridor's safety rules, numbered as in what is known of event stores, each broken once.

R1 an append compares versions and takes its positions last, under a lock held to COMMIT; R2 a gap
is found and named; R3 one relay, in order, which resumes from what the bus holds; R4 a log that is
decoded keeps its slot; R8 a position moves with its effect, and a message has its effect once; R9
an idempotent producer that waits for every replica, and a new one after each error; R16 a chain of
hashes; R17 the log is added to and never changed; R25 versions are lifted and never guessed; R26 a
parked key halts, and is not skipped.
"""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

EVENTS: Final = "tests/integration/events"
CORRIDOR_TESTS: Final = f"{EVENTS}/test_corridor.py"

BUS: Final = "tests/integration/bus"
KAFKA_ORDER: Final = (
    f"{BUS}/test_conformance_records.py::test_a_partition_keeps_the_order_of_its_sends[kafka]"
)

RULES: Final = frozenset({"R1", "R2", "R3", "R4", "R8", "R9", "R16", "R17", "R25", "R26"})

# R4 says what keeps PostgreSQL's logical decoding from losing events: slots that outlive a
# failover, rows that share one LSN, a disk that fills behind a slot. Nothing is decoded here. The
# relay reads tables by position (R1, R3), so there is no slot to lose and nothing to break.
NOTHING_TO_BREAK: Final = frozenset({"R4"})

CORRIDOR: Final = (
    Mutant(
        "no-compare-and-set",
        "R1: a stream is advanced whatever version it has",
        (
            Change(
                "libs/events/migrations/005_advance.sql",
                "WHEN MATCHED AND streams.version = new.e THEN\n",
                "WHEN MATCHED THEN\n",
            ),
        ),
        f"{EVENTS}/test_fencing.py::test_a_writer_that_read_an_older_version_writes_nothing",
        f"{EVENTS}/test_store.py::test_a_savepoint_takes_back_its_events_and_keeps_the_rest",
    ),
    Mutant(
        "no-compare-and-set-of-singles",
        "R1: a single command advances its stream whatever version that has by now",
        (
            Change(
                "libs/events/migrations/006_singles.sql",
                "WHEN MATCHED AND streams.version = new.e THEN\n",
                "WHEN MATCHED THEN\n",
            ),
        ),
        f"{EVENTS}/test_group_commit_faults.py::test_a_stream_that_was_moved_since_it_was_read_is_decided_again",
        f"{EVENTS}/test_group_commit.py::test_commands_that_arrive_together_are_one_block",
    ),
    Mutant(
        "no-head-lock",
        "R1: positions are counted on from a head that was read without its lock",
        (
            Change(
                "libs/events/store/transaction.py",
                """    UPDATE head SET position = position + $2,
                    hash = sha256(hash || int8send(position + 1) || $6::bytea)
    RETURNING position, hash, pg_notify('appended', '')
""",
                """    UPDATE head SET position = seen.position + $2,
                    hash = sha256(seen.hash || int8send(seen.position + 1) || $6::bytea)
    FROM (SELECT position, hash FROM head OFFSET 0) AS seen
    RETURNING head.position, head.hash, pg_notify('appended', '')
""",
            ),
        ),
        f"{EVENTS}/test_gap_hunter.py::test_readers_of_positions_miss_nothing[1-8]",
        f"{EVENTS}/test_store.py::test_commands_of_one_batch_and_stream_build_on_each_other",
    ),
    Mutant(
        "no-consumed-lock",
        "R8: a batch is processed without locking its partition's row",
        (
            Change(
                "libs/events/consumer/checkpoints.py",
                "ORDER BY partition FOR UPDATE",
                "ORDER BY partition",
            ),
        ),
        f"{EVENTS}/test_fencing.py"
        "::test_two_members_that_process_one_batch_at_once_have_its_effect_once",
        f"{EVENTS}/test_corridor.py::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "no-position-skip",
        "R8: a message is handled again although its position is covered",
        (
            Change(
                "libs/events/consumer/checkpoints.py",
                "if at <= position:",
                "if at <= 0:",
            ),
        ),
        f"{EVENTS}/test_corridor.py::test_a_message_delivered_again_is_skipped_by_its_position",
        f"{EVENTS}/test_corridor.py::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "gaps-passed-over",
        "R2: a message that follows from one that never came is handled",
        (
            Change(
                "libs/events/consumer/checkpoints.py",
                "            if previous > position:\n",
                "            if False:\n",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_missing_message_is_found_and_named",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "gaps-passed-over-at-once",
        "R2: a batch that follows from a message that never came is taken whole",
        (
            Change(
                "libs/events/consumer/checkpoints.py",
                "previous[0] <= self.position <",
                "self.position <",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_missing_message_is_found_and_named",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "marked-before-sent",
        "R3: the relay writes down what it has sent before the bus has it, and believes that",
        (
            Change(
                "libs/events/relay/outbox.py",
                "                if there < acknowledged:\n",
                "                if False:\n",
            ),
            Change(
                "libs/events/relay/outbox.py",
                "                    await self._send(producer, stretch.records)\n",
                "                    await self._acknowledge(stretch)\n"
                "                    await self._send(producer, stretch.records)\n",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_window_that_the_bus_did_not_take_is_sent_again",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "two-relays-at-once",
        "R3: a relay takes the lead whether somebody has it or not",
        (
            Change(
                "libs/events/workers/leader.py",
                '_TAKE = "SELECT pg_try_advisory_lock($1)"',
                '_TAKE = "SELECT $1::bigint IS NOT NULL"',
            ),
        ),
        f"{EVENTS}/test_leader.py"
        "::test_a_leader_that_lives_keeps_the_lead_however_quiet_its_work_is",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "the-bus-is-believed",
        "R3: what the bus no longer holds is not sent again",
        (
            Change(
                "libs/events/relay/outbox.py",
                "                if there < acknowledged:\n",
                "                if False:\n",
            ),
        ),
        f"{CORRIDOR_TESTS}"
        "::test_a_topic_deleted_under_running_consumers_is_refilled_and_nothing_twice",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "committed-before-handled",
        "R8: the bus's offset moves before the batch is handled",
        (
            Change(
                "libs/events/consumer/inbox.py",
                """        together = len(batches) > 1 and await self._try_together(*batches)
""",
                """        for batch in batches:
            await member.commit({(batch.topic, batch.partition): batch.offsets[-1] + 1})
        together = len(batches) > 1 and await self._try_together(*batches)
""",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_what_a_member_dies_over_is_the_next_ones",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "repeats-are-doubled",
        "R9: a batch that is sent again after a lost acknowledgement is one more batch",
        (
            Change(
                "libs/events/bus/kafka_producer.py",
                "enable_idempotence=True",
                "enable_idempotence=False",
            ),
        ),
        f"{BUS}/test_kafka_producer.py"
        "::test_a_batch_whose_acknowledgement_was_lost_is_published_once",
        KAFKA_ORDER,
    ),
    Mutant(
        "one-disk-is-enough",
        "R9: a batch counts as published when one broker has it",
        (
            Change(
                "libs/events/bus/kafka_producer.py",
                """            acks="all",
            enable_idempotence=True,
""",
                """            acks=1,
""",
            ),
        ),
        f"{BUS}/test_kafka_producer.py"
        "::test_a_batch_is_published_when_every_replica_in_sync_has_it",
        KAFKA_ORDER,
    ),
    Mutant(
        "on-after-an-error",
        "R9: a producer goes on behind a batch of which it does not know what became",
        (
            Change(
                "libs/events/bus/kafka_producer.py",
                """for to, group in grouped.items()))
        except BaseException:
            self._failed = True
            raise
""",
                """for to, group in grouped.items()))
        except BaseException:
            raise
""",
            ),
        ),
        f"{BUS}/test_conformance_outage.py"
        "::test_a_producer_is_of_no_use_after_an_error_and_closes_at_once",
        KAFKA_ORDER,
    ),
    Mutant(
        "blocks-without-a-past",
        "R16: a block's head does not follow from the one before it",
        (
            Change(
                "libs/events/store/transaction.py",
                "hash = sha256(hash || int8send(position + 1) || $6::bytea)",
                "hash = sha256(int8send(position + 1) || $6::bytea)",
            ),
            Change(
                "libs/events/store/chain.py",
                'hashlib.sha256(previous + first_position.to_bytes(8, "big") + seal)',
                'hashlib.sha256(first_position.to_bytes(8, "big") + seal)',
            ),
        ),
        f"{EVENTS}/test_verify.py::test_a_block_that_was_sealed_anew_shows_at_the_next_one",
        f"{EVENTS}/test_verify.py::test_a_log_as_it_was_written_has_no_findings",
    ),
    Mutant(
        "services-may-edit",
        "R17: a service's role may change what stands in the log",
        (
            Change(
                "libs/events/migrations/001_corridor.sql",
                "GRANT SELECT, INSERT ON events, blocks TO ${RUNTIME_ROLE};",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON events, blocks TO ${RUNTIME_ROLE};",
            ),
        ),
        f"{EVENTS}/test_store.py::test_the_runtime_role_may_add_to_the_log_and_not_change_it",
        f"{EVENTS}/test_store.py::test_a_savepoint_takes_back_its_events_and_keeps_the_rest",
    ),
    Mutant(
        "old-events-as-new",
        "R25: an event of an older version is read as if it were today's",
        (
            Change(
                "libs/events/store/codec.py",
                "        for version in range(schema_version, current):\n",
                "        for version in range(current, current):\n",
            ),
        ),
        f"{EVENTS}/test_store.py::test_an_older_event_is_lifted_by_its_upcasters",
        f"{EVENTS}/test_store.py::test_state_is_the_same_from_snapshot_and_from_replay",
    ),
    Mutant(
        "newer-messages-as-todays",
        "R25: a message of a newer major version is read as if it were today's",
        (
            Change(
                "libs/events/consumer/subscription.py",
                "    if any(major > supported for _, major in wanted):\n",
                "    if False:\n",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_newer_major_version_of_a_wanted_type_stops_the_consumer",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "later-messages-overtake",
        "R26: what follows a parked message of its key is handled before it",
        (
            Change(
                "libs/events/consumer/batch_bisection.py", "if message.key in halted:", "if False:"
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_poisoned_key_is_parked_in_order_and_the_others_go_on",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "replayed-out-of-turn",
        "R26: a replay handles what follows a message that it could not handle",
        (
            Change(
                "libs/events/consumer/replay.py",
                "from collections.abc import",
                "import asyncio\nfrom collections.abc import",
            ),
            Change(
                "libs/events/consumer/replay.py",
                "held_keys(transaction, subscription, arrived, before=arrived[0].position)",
                "asyncio.sleep(0, set[str]())",
            ),
        ),
        f"{EVENTS}/test_poison.py"
        "::test_what_is_still_unfit_stays_in_order_and_holds_up_nobody_else[in small steps]",
        f"{EVENTS}/test_poison.py::test_a_key_is_replayed_without_the_others",
    ),
    Mutant(
        "replayed-beside-the-live",
        "R26: a replay does not keep live messages of its partition waiting",
        (
            Change(
                "libs/events/consumer/replay.py",
                "    await transaction.connection.execute(_LOCK, *partition)\n",
                "",
            ),
        ),
        f"{EVENTS}/test_poison.py::test_a_live_message_waits_until_its_key_is_replayed",
        f"{EVENTS}/test_poison.py::test_a_key_is_replayed_without_the_others",
    ),
    Mutant(
        "a-lost-database-is-parked",
        "R26: a message is parked for what the database could not do",
        (
            Change(
                "libs/events/consumer/subscription.py",
                "return not is_infrastructure_fault(error) and not isinstance(error, STOPS)",
                "return not isinstance(error, STOPS)",
            ),
        ),
        f"{CORRIDOR_TESTS}::test_a_fault_of_the_network_is_tried_again_and_never_parked",
        f"{CORRIDOR_TESTS}::test_everything_appended_is_handled_once",
    ),
)
