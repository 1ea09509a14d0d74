"""Whoever has payments' role at its database takes a hold out of a payment's snapshot.

The role may write snapshots, because its appends do; the log says that the money is held. What a
decision then rested on shows, whether the thief leaves the snapshot as it is, lets payments decide
on it and write the next one, or puts the true one back.
"""

from __future__ import annotations

import re
from dataclasses import replace

from libs.events.store.codec import codec_of
from libs.events.store.verify import verify
from services.payments.contract import PAYMENT
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import MoneyHold
from tests.integration.payments.houses import EARLY_CHILD_IDR, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.steps import until_dispatched

VILLAGE = houses(3)
HELD = VILLAGE[0]
STREAM = PAYMENT.stream(HELD.payment())
AS_FOUND = "its state is not the one that its last event led to"
AS_FOLDED = "its state is not what its events come to"


async def held_and_on_its_way(office: Office) -> None:
    """Money that a failed cycle holds; its bank has the file, and has not answered."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE, failed=[HELD])
    await office.frozen()
    await office.pay()
    await office.ordered()
    await until_dispatched(office)


async def write(office: Office, text: str) -> None:
    await office.store.pool.execute(
        "UPDATE streams SET state = $2::json WHERE stream_id = $1", STREAM, text
    )


async def take_the_hold_out(office: Office) -> None:
    state = await office.payment(HELD)
    assert state.hold.status is HoldStatus.HELD
    free = codec_of(PAYMENT).encode_state(replace(state, hold=MoneyHold()))
    assert free is not None
    await write(office, free)


async def found_by_verify(office: Office) -> list[str]:
    return [finding async for finding in verify(office.store.pool)]


async def found_by_folding(office: Office, query: str = "") -> list[str]:
    who = office.door.who("auditor", "platform:read")
    answer = await office.door.client.get(f"/refolded?limit=1000{query}", headers=who)
    assert answer.status_code == 200, answer.text
    assert answer.json()["streams"] > 0
    findings: list[str] = answer.json()["findings"]
    return findings


async def test_a_hold_that_is_taken_out_is_found_by_its_hash_and_by_folding(office: Office) -> None:
    await held_and_on_its_way(office)
    assert await found_by_verify(office) == await found_by_folding(office) == []

    await take_the_hold_out(office)

    assert await found_by_verify(office) == [f"stream {STREAM}: {AS_FOUND}"]
    assert await found_by_folding(office) == [f"stream {STREAM}: {AS_FOLDED}"]
    assert await found_by_folding(office, "&seed=7") == [f"stream {STREAM}: {AS_FOLDED}"]


async def test_a_hold_that_is_taken_out_before_the_credit_is_found_by_folding_behind_it(
    office: Office,
) -> None:
    await held_and_on_its_way(office)
    await take_the_hold_out(office)

    await office.pay()

    # What was decided on it is written with a hash of its own, and the money is the family's.
    assert (await office.balances())["family_available"] == 3 * EARLY_CHILD_IDR
    assert await found_by_verify(office) == []
    [finding] = await found_by_folding(office)
    assert re.fullmatch(
        f"stream {STREAM}: version [0-9]+ left a state that its events do not lead to", finding
    )


async def test_a_true_snapshot_that_is_put_back_behind_the_theft_is_found(office: Office) -> None:
    await held_and_on_its_way(office)
    hold = (await office.payment(HELD)).hold
    await take_the_hold_out(office)
    await office.pay()

    true = codec_of(PAYMENT).encode_state(replace(await office.payment(HELD), hold=hold))
    assert true is not None
    await write(office, true)

    assert await found_by_verify(office) == [f"stream {STREAM}: {AS_FOUND}"]
    assert len(await found_by_folding(office)) == 1
