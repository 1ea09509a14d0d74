"""Snapshots are held against what their streams come to: some that are drawn, or all of them."""

from __future__ import annotations

import pytest

from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.refolding import Refolded, refold_drawn, refold_next
from tests.purse import CONTEXT, KEPT, PutIn, TakeOut

KINDS = [KEPT]


async def write(store: Store, *names: str) -> None:
    async with store.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [(f"purse-{name}", PutIn(5)) for name in names])
    async with store.transaction(CONTEXT) as transaction:
        await handle_many(transaction, KEPT, [(f"purse-{name}", TakeOut(2)) for name in names])


async def spoil(store: Store, column: str, value: str, name: str = "b") -> None:
    await store.pool.execute(
        f"UPDATE streams SET {column} = {value} WHERE stream_id = $1", f"purse-{name}"
    )


async def all_of(store: Store) -> Refolded:
    return await refold_next(store, KINDS, "", 100)


async def test_streams_that_are_their_events_have_no_findings(store: Store) -> None:
    assert await all_of(store) == Refolded([], [])
    assert await refold_drawn(store, KINDS, seed=1, draws=5) == Refolded([], [])
    await write(store, "a", "b")

    assert await all_of(store) == Refolded(["purse-a", "purse-b"], [])


async def test_pages_go_through_all_streams(store: Store) -> None:
    await write(store, "a", "b", "c")

    first = await refold_next(store, KINDS, "", 2)
    second = await refold_next(store, KINDS, first.stream_ids[-1], 2)

    assert [*first.stream_ids, *second.stream_ids] == ["purse-a", "purse-b", "purse-c"]


async def test_a_seed_draws_the_same_streams_again_and_another_one_others(store: Store) -> None:
    await write(store, *(str(n) for n in range(50)))

    drawn = [(await refold_drawn(store, KINDS, seed, 10)).stream_ids for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert 5 <= len(drawn[0]) <= 10


async def test_every_stream_is_drawn_where_every_position_is(store: Store) -> None:
    await write(store, "a", "b", "c")
    await spoil(store, "state", """'{"coins":99,"moves":2}'""")

    found = await refold_drawn(store, KINDS, seed=1, draws=1_000)

    assert found.stream_ids == ["purse-a", "purse-b", "purse-c"]
    assert found.findings == ["stream purse-b: its state is not what its events come to"]


@pytest.mark.parametrize(
    ("column", "value"), [("state", "NULL"), ("state_version", "7"), ("state_version", "NULL")]
)
async def test_a_snapshot_that_nobody_reads_is_no_finding(
    store: Store, column: str, value: str
) -> None:
    """Whoever loads such a stream folds it again."""
    await write(store, "a", "b")
    await spoil(store, column, value)

    assert (await all_of(store)).findings == []


async def test_what_cannot_be_folded_is_told_and_hides_nothing_behind_it(store: Store) -> None:
    await write(store, "a", "b", "c")
    await store.pool.execute("UPDATE events SET type = 'Gone' WHERE stream_id = 'purse-b'")
    await store.pool.execute("INSERT INTO streams (stream_id, version) VALUES ('wallet-1', 1)")
    await spoil(store, "state", """'{"coins":99,"moves":2}'""", "c")

    assert (await all_of(store)).findings == [
        "stream purse-b: cannot be folded again (UnknownEvent)",
        "stream purse-c: its state is not what its events come to",
        "stream wallet-1: is of no kind that this service knows",
    ]
