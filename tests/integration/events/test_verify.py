"""Whoever rewrites the log, even a superuser, is found, and the block is named."""

from __future__ import annotations

import pytest

from libs.events.handle import handle_many
from libs.events.store import Store
from libs.events.verify import verify
from tests.purse import CONTEXT, KEPT, PutIn


async def write_three_blocks(store: Store) -> list[int]:
    blocks = []
    for n in (1, 2, 3):
        async with store.transaction(CONTEXT) as transaction:
            commands = [(f"purse-{n}-{i}", PutIn(n * 10 + i)) for i in range(4)]
            await handle_many(transaction, KEPT, commands)
            blocks.append(transaction.block)
    return blocks


async def findings(store: Store) -> list[str]:
    return [finding async for finding in verify(store.pool)]


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
        "DELETE FROM events WHERE block = $1 AND ord = 3",
        "DELETE FROM events WHERE block = $1",
        "UPDATE events SET ord = 101 - ord WHERE block = $1 AND ord < 2",
        "UPDATE blocks SET recorded_at = now() WHERE block = $1",
        "UPDATE blocks SET metadata = '{}' WHERE block = $1",
    ],
    ids=["edit", "stream", "date", "message", "delete", "delete all", "swap", "when", "who"],
)
async def test_a_changed_row_is_found_and_its_block_named(store: Store, change: str) -> None:
    block = (await write_three_blocks(store))[1]

    await store.pool.execute(change, block)

    assert any(f"block {block}:" in finding for finding in await findings(store))


async def test_a_row_slipped_in_is_found(store: Store) -> None:
    await write_three_blocks(store)
    await store.pool.execute(
        "INSERT INTO events SELECT 7777, ord, stream_id, 9, type, schema_version, data, metadata,"
        " topic, key, message, occurred_at FROM events WHERE ord = 0 LIMIT 1"
    )
    assert "block 7777: holds events but was never written" in await findings(store)


async def test_a_cut_off_end_is_found(store: Store) -> None:
    last = (await write_three_blocks(store))[-1]
    await store.pool.execute("DELETE FROM events WHERE block = $1", last)
    await store.pool.execute("DELETE FROM blocks WHERE block = $1", last)
    assert any("head row" in finding for finding in await findings(store))
