"""Whoever rewrites the log, even a superuser, is found, and the block is named."""

from __future__ import annotations

import hashlib

import pytest

from libs.events.store.chain import block_seal, event_hash, next_head
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.verify import BLOCKS_A_STEP, verify
from tests.purse import CONTEXT, KEPT, PutIn

_ROWS = """
SELECT block, ord, stream_id, version, type, schema_version, data, metadata, topic, key, message,
       occurred_at
FROM events WHERE block = $1 ORDER BY ord
"""


async def write_three_blocks(store: Store) -> list[int]:
    blocks = []
    for n in (1, 2, 3):
        async with store.transaction(CONTEXT) as transaction:
            commands = [(f"purse-{n}-{i}", PutIn(n * 10 + i)) for i in range(4)]
            await handle_many(transaction, KEPT, commands)
            blocks.append(transaction.block)
    return blocks


async def findings(store: Store, blocks_a_step: int = BLOCKS_A_STEP) -> list[str]:
    return [finding async for finding in verify(store.pool, blocks_a_step=blocks_a_step)]


async def test_a_log_as_it_was_written_has_no_findings(store: Store) -> None:
    assert await findings(store) == []
    await write_three_blocks(store)
    assert await findings(store) == []


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE events SET data = '{"coins":999}' WHERE block = $1 AND ord = 1""",
        "UPDATE events SET stream_id = 'purse-x' WHERE block = $1 AND ord = 1",
        "UPDATE events SET occurred_at = now() WHERE block = $1 AND ord = 1",
        "UPDATE events SET message = NULL WHERE block = $1 AND ord = 1",
        "UPDATE events SET occurred_at = 'infinity' WHERE block = $1 AND ord = 1",
        "UPDATE events SET metadata = '{}' WHERE block = $1 AND ord = 1",
        "DELETE FROM events WHERE block = $1 AND ord = 3",
        "DELETE FROM events WHERE block = $1",
        "UPDATE events SET ord = 101 - ord WHERE block = $1 AND ord < 2",
        "UPDATE blocks SET recorded_at = now() WHERE block = $1",
        "UPDATE blocks SET metadata = '{}' WHERE block = $1",
    ],
    ids=[
        *("edit", "stream", "date", "message", "never", "metadata", "delete", "delete all"),
        *("swap", "when", "who"),
    ],
)
async def test_a_changed_row_is_found_and_its_block_named(store: Store, change: str) -> None:
    block = (await write_three_blocks(store))[1]

    await store.pool.execute(change, block)

    assert any(f"block {block}:" in finding for finding in await findings(store))


@pytest.mark.parametrize("step", [1, 2])
async def test_findings_do_not_depend_on_the_blocks_of_a_step(store: Store, step: int) -> None:
    _, middle, last = await write_three_blocks(store)
    assert await findings(store, step) == []

    await store.pool.execute("DELETE FROM events WHERE block = $1", middle)
    await store.pool.execute("UPDATE events SET key = 'x' WHERE block = $1 AND ord = 1", last)

    found = await findings(store, step)
    assert found[:2] == [
        f"block {middle}: its 4 events are gone",
        f"block {last}: an event is not as it was written",
    ]


async def test_a_block_that_was_sealed_anew_shows_at_the_next_one(store: Store) -> None:
    """Whoever can hash can make one block right again, but not those that follow from it."""
    _, middle, last = await write_three_blocks(store)
    await store.pool.execute(
        """UPDATE events SET data = '{"coins":999}' WHERE block = $1 AND ord = 1""", middle
    )
    rows = await store.pool.fetch(_ROWS, middle)
    block = await store.pool.fetchrow("SELECT * FROM blocks WHERE block = $1", middle)
    assert block is not None
    root = hashlib.sha256(b"".join(event_hash(tuple(row)) for row in rows)).digest()
    seal = block_seal(middle, len(rows), root, block["metadata"], block["recorded_at"])
    before = await store.head_at(block["first_position"] - 1)
    assert before is not None
    head = next_head(before, block["first_position"], seal)
    await store.pool.execute(
        "UPDATE blocks SET root = $2, head = $3 WHERE block = $1", middle, root, head
    )

    found = await findings(store)

    assert found == [f"block {last}: does not follow from the blocks before it"]


@pytest.mark.parametrize("block", [-(2**63), 7777, 2**63 - 1])
async def test_a_row_slipped_in_is_found(store: Store, block: int) -> None:
    await write_three_blocks(store)
    await store.pool.execute(
        "INSERT INTO events SELECT $1, ord, stream_id, 9, type, schema_version, data, metadata,"
        " topic, key, message, occurred_at FROM events WHERE ord = 0 LIMIT 1",
        block,
    )
    assert f"block {block}: holds events but was never written" in await findings(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE streams SET version = version + 1 WHERE stream_id = 'purse-2-1'",
        "DELETE FROM streams WHERE stream_id = 'purse-2-1'",
        "INSERT INTO streams (stream_id, version) VALUES ('purse-2-1x', 1)",
    ],
    ids=["version", "gone", "without events"],
)
async def test_a_stream_that_is_not_its_events_is_found(store: Store, change: str) -> None:
    await write_three_blocks(store)

    await store.pool.execute(change)

    [finding] = await findings(store)
    assert finding.startswith("stream purse-2-1")


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE streams SET state = '{"coins":999,"moves":1}' WHERE stream_id = $1""",
        "UPDATE streams SET state_version = 2 WHERE stream_id = $1",
    ],
    ids=["state", "shape"],
)
@pytest.mark.parametrize("together", [True, False], ids=["a single command", "a batch"])
async def test_a_state_that_its_last_event_did_not_lead_to_is_found(
    store: Store, change: str, together: bool
) -> None:
    await write_three_blocks(store)
    if together:
        single = GroupedCommand(KEPT, "purse-2-1", PutIn(3), CONTEXT, lambda _: None)
        await GroupCommitter(store).append(single)
    assert await findings(store) == []

    await store.pool.execute(change, "purse-2-1")

    assert await findings(store) == [
        "stream purse-2-1: its state is not the one that its last event led to"
    ]


async def test_a_cut_off_end_is_found(store: Store) -> None:
    last = (await write_three_blocks(store))[-1]
    await store.pool.execute("DELETE FROM events WHERE block = $1", last)
    await store.pool.execute("DELETE FROM blocks WHERE block = $1", last)
    assert any("head row" in finding for finding in await findings(store))


# -- A witness elsewhere --------------------------------------------------------------------------


async def witnessed(store: Store) -> dict[int, bytes]:
    position, _ = await store.head()
    head = await store.head_at(position)
    assert head is not None
    return {position: head}


async def findings_of_the_witness(store: Store, seen: dict[int, bytes]) -> list[str]:
    return [finding async for finding in verify(store.pool, seen)]


async def forget(store: Store, behind: int) -> None:
    """Cut the log off behind a position, and everything that would tell, as a superuser could."""
    later = "SELECT block FROM blocks WHERE first_position > $1"
    for statement in (
        f"""DELETE FROM streams
            WHERE stream_id IN (SELECT stream_id FROM events WHERE block IN ({later}))""",
        f"DELETE FROM events WHERE block IN ({later})",
        "DELETE FROM blocks WHERE first_position > $1",
    ):
        await store.pool.execute(statement, behind)
    await store.pool.execute(
        "UPDATE head SET position = $1, hash = coalesce("
        " (SELECT head FROM blocks WHERE first_position + count - 1 = $1), sha256(''))",
        behind,
    )


async def test_what_the_witness_saw_is_still_there_however_far_the_log_has_grown(
    store: Store,
) -> None:
    assert await store.head_at(0) is None
    await write_three_blocks(store)
    seen = await witnessed(store)
    async with store.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [("purse-9-9", PutIn(1))])

    assert await findings_of_the_witness(store, seen) == []


async def test_a_log_that_was_cut_off_with_its_head_row_shows_to_the_witness_alone(
    store: Store,
) -> None:
    _, middle, _ = await write_three_blocks(store)
    seen = await witnessed(store)
    await forget(store, behind=8)

    assert await findings(store) == []
    assert await findings_of_the_witness(store, seen) == [
        f"block {middle}: is the last, though the witness saw position 12"
    ]


async def test_a_whole_new_chain_shows_to_the_witness_alone(store: Store) -> None:
    await write_three_blocks(store)
    seen = await witnessed(store)
    await forget(store, behind=0)
    blocks = await write_three_blocks(store)

    assert await findings(store) == []
    assert await findings_of_the_witness(store, seen) == [
        f"block {blocks[-1]}: is not what the witness saw at position 12"
    ]


async def test_a_position_inside_a_block_is_no_end_that_a_witness_saw(store: Store) -> None:
    blocks = await write_three_blocks(store)
    [head] = (await witnessed(store)).values()

    assert await store.head_at(7) is None
    assert await findings_of_the_witness(store, {7: head}) == [
        f"block {blocks[1]}: is not what the witness saw at position 7"
    ]
