"""Safety rules, each with the smallest change that breaks it and the test that must see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVENTS: Final = "tests/integration/events"
CONDITIONALITY: Final = "tests/integration/conditionality"
REGISTRY: Final = "tests/integration/registry"


@dataclass(frozen=True, slots=True)
class Change:
    """Text of one file that stands there exactly once, and what takes its place."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken rule: `red` is the test that must fail.

    `green` is one that must still pass: it shows that the mutant lives, and is wrong only where
    the rule matters.
    """

    name: str
    broken: str
    changes: tuple[Change, ...]
    red: str
    green: str


MUTANTS: Final = (
    Mutant(
        "no-compare-and-set",
        "a stream is advanced whatever version it has",
        (
            Change(
                "libs/events/transaction.py",
                " ON streams.stream_id = given.id AND streams.version = given.expected\n",
                " ON streams.stream_id = given.id\n",
            ),
        ),
        f"{EVENTS}/test_fencing.py::test_a_writer_that_read_an_older_version_writes_nothing",
        f"{EVENTS}/test_store.py::test_a_savepoint_takes_back_its_events_and_keeps_the_rest",
    ),
    Mutant(
        "no-head-lock",
        "positions are counted on from a head that was read without its lock",
        (
            Change(
                "libs/events/transaction.py",
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
        f"{EVENTS}/test_gap_hunter.py::test_a_reader_of_positions_misses_nothing[1]",
        f"{EVENTS}/test_store.py::test_commands_of_one_batch_and_stream_build_on_each_other",
    ),
    Mutant(
        "no-consumed-lock",
        "a batch is processed without locking its partition's row",
        (
            Change(
                "libs/events/consumer.py", " AND partition = $3 FOR UPDATE", " AND partition = $3"
            ),
        ),
        f"{EVENTS}/test_fencing.py"
        "::test_two_members_that_process_one_batch_at_once_have_its_effect_once",
        f"{EVENTS}/test_corridor.py::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "no-position-skip",
        "a message is handled again although its position is covered",
        (
            Change(
                "libs/events/consumer.py",
                "if envelope.position <= position:",
                "if envelope.position <= 0:",
            ),
        ),
        f"{EVENTS}/test_corridor.py::test_a_message_delivered_again_is_skipped_by_its_position",
        f"{EVENTS}/test_corridor.py::test_everything_appended_is_handled_once",
    ),
    Mutant(
        "closed-in-the-batch",
        "each batch judges for itself whether it was the last, and no leader looks",
        (
            Change(
                "services/conditionality/consumers.py",
                "                await _list_closed(unit, message.body)\n",
                """                await _list_closed(unit, message.body)
        from services.conditionality.jobs import close_in_batch

        await close_in_batch(unit)
""",
            ),
            Change(
                "services/conditionality/jobs.py",
                """    async def step(self) -> bool:
        \"\"\"Close, or close again where revisions came since; answers whether it did.\"\"\"
""",
                """    async def step(self) -> bool:
        \"\"\"Close, or close again where revisions came since; answers whether it did.\"\"\"
        return False
""",
            ),
            Change(
                "services/conditionality/jobs.py",
                "def _on_closing_day(",
                """async def close_in_batch(unit: Transaction) -> None:
    for row in await unit.connection.fetch("SELECT tahap, listed FROM evaluation_open"):
        families, _ = await views.counted(unit, row["tahap"])
        if families == row["listed"]:
            buckets = await views.proof(unit, row["tahap"])
            command = CloseEvaluation(row["tahap"], families, (), buckets)
            await handle(unit, EVALUATION, "evaluation-" + row["tahap"], command)


def _on_closing_day(""",
            ),
        ),
        f"{CONDITIONALITY}/test_evaluation.py"
        "::test_the_last_of_two_partitions_is_closed_by_the_leader[at once]",
        f"{CONDITIONALITY}/test_evaluation.py"
        "::test_the_last_of_two_partitions_is_closed_by_the_leader[one after another]",
    ),
    Mutant(
        "cut-ignored",
        "a list is made from families as they are when their turn comes",
        (
            Change(
                "services/registry/jobs.py",
                "outcomes = await handle_many(unit, FAMILY, commands, cut=listing.cut)",
                "outcomes = await handle_many(unit, FAMILY, commands)",
            ),
        ),
        f"{REGISTRY}/test_listing.py"
        "::test_what_is_stored_behind_the_cut_counts_for_the_next_list_only",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "list-sent-again-as-of-now",
        "lines that are asked for again are made from families as they are now",
        (
            Change(
                "services/registry/jobs.py",
                "                await handle_many(unit, FAMILY, commands, cut=listing.cut)\n",
                "                await handle_many(unit, FAMILY, commands)\n",
            ),
        ),
        f"{REGISTRY}/test_listing.py"
        "::test_a_list_that_is_asked_for_again_is_the_same_whatever_was_stored_since",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "replaced-leader-lists-on",
        "a leader writes a chunk's lines although another has listed it meanwhile",
        (
            Change(
                "services/registry/jobs.py",
                "        if not advanced.events:\n",
                "        if False:\n",
            ),
        ),
        f"{REGISTRY}/test_interrupted_lists.py"
        "::test_a_leader_that_was_replaced_within_a_chunk_adds_nothing",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "late-fact-slips-between",
        "on an evaluation nobody looks for facts that were recorded while it was made",
        (
            Change(
                "services/conditionality/jobs.py",
                "            await self._behind_evaluations(unit, evaluated, last_fact, late)\n",
                "",
            ),
        ),
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_fact_recorded_while_its_evaluation_is_not_committed_is_found",
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_late_fact_makes_a_new_revision_and_the_tahap_is_closed_anew",
    ),
)
