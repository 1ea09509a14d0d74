"""A list that rests because too many families are withheld, through all services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from libs.events.domain.list_proof import Buckets
from libs.events.store.handle import handle
from libs.events.workers.backoff import failing_item
from services.registry.contract import LISTING
from services.registry.domain.listing import WITHHELD_MAX
from services.registry.domain.listing_messages import AdvanceListing, Withheld
from services.registry.main import SERVICE
from services.registry.workers.job_progress import LISTER
from tests.doors import CONTEXT, front_door
from tests.integration.payments.houses import EARLY_CHILD_IDR
from tests.integration.services import CARDS, Services, services_at
from tests.servers import Postgres, eventually

TAHAP, LATER = "2023-2", "2023-3"
PATH: Final = f"/tahap/{TAHAP}"
LOST: Final = CARDS[0]


@pytest_asyncio.fixture
async def resting(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Services]:
    """A tahap whose list rests at one family too many, and a later one that waits behind it."""
    async with services_at(postgres, tmp_path) as found:
        for tahap in (TAHAP, LATER):
            await found.office.announce(tahap)
        await found.carry()
        await withhold(found)
        await keep_state(found, "[]")
        await found.register.list_all()
        failing = await failing_item(found.register.store.pool, LISTER, TAHAP)
        assert failing is not None
        assert f"withheld={WITHHELD_MAX + 1}, most={WITHHELD_MAX}" in failing.error
        yield found


async def withhold(services: Services) -> None:
    """As many families as may be are withheld for a reason that somebody could mend."""
    names = [f"00000000-0000-4000-8000-{number:012}" for number in range(WITHHELD_MAX)]
    withheld = tuple(Withheld(name, "KEY_MISSING") for name in names)
    chunk = AdvanceListing(1, names[-1], 0, 0, Buckets(), withheld=withheld)
    async with services.register.store.transaction(CONTEXT) as unit:
        await handle(unit, LISTING, f"listing-{TAHAP}", chunk)


async def keep_state(services: Services, state: str | None) -> None:
    """Store a family's state as one that nobody can read, or none: it is read from its events."""
    await services.register.store.pool.execute(
        "UPDATE streams SET state = $2 WHERE stream_id = $1",
        f"family-{await lost(services)}",
        state,
    )


async def lost(services: Services) -> str:
    """The family whose state is spoiled."""
    token = services.register.tokenizer.card(LOST)
    stream: str = await services.register.store.pool.fetchval(
        "SELECT stream_id FROM claims WHERE kind = 'card' AND token = $1", token
    )
    return stream.removeprefix("family-")


async def test_two_people_cancel_a_tahap_whose_list_rests_and_the_later_one_is_paid(
    resting: Services,
) -> None:
    office = resting.office
    made = await office.asked_by(
        "planner-1", "announce", f"{PATH}/cancellation-proposal", {"reason": "KEYS_LOST"}
    )
    assert made.status_code == 204, made.text
    proposal = (await office.seen(PATH))["proposal"]
    assert proposal["behind"] == [LATER]
    done = await office.asked_by(
        "head-1", "announce", f"{PATH}/cancellation-approval", {"hash": proposal["hash"]}
    )
    assert done.status_code == 204, done.text
    await office.undone()
    await keep_state(resting, None)
    await resting.listed_and_judged()

    shown = await office.seen(f"/tahap/{LATER}")
    assert (shown["phase"], shown["revision"], shown["list"]["count"]) == ("READY", 2, 2)
    await office.approved("freeze", f"/tahap/{LATER}", shown["list"]["hash"])
    await resting.paid(LATER)
    assert sorted(office.world.credited().values()) == [EARLY_CHILD_IDR] * 2
    assert (await office.seen(PATH))["phase"] == "CANCELLED"
    assert await failing_item(resting.register.store.pool, LISTER, TAHAP) is None


async def test_two_people_accept_the_withheld_families_and_everybody_else_is_paid(
    resting: Services, tmp_path: Path
) -> None:
    office, register = resting.office, resting.register
    async with front_door(SERVICE, resting.told["registry"], tmp_path) as registry:
        for subject, what in (("head-1", "proposal"), ("head-2", "approval")):
            who = registry.who(subject, "registry:read", "registry:approve")
            tag = (await registry.client.get(f"/lists/{TAHAP}", headers=who)).headers["ETag"]
            path = f"/lists/{TAHAP}/withheld-{what}"
            done = await registry.post(path, who | {"If-Match": tag}, json={"most": 5_000})
            assert done.status_code == 204, done.text
        await eventually(register.closed)
    await resting.listed_and_judged()

    shown = (await office.seen(PATH))["list"]
    assert (shown["count"], len(shown["deferred_candidates"])) == (1, WITHHELD_MAX)
    assert shown["withheld"] == {"CANNOT_BE_LISTED": 1}
    deferred = shown["deferred_candidates"]
    await office.approved("freeze", PATH, shown["hash"], deferred=deferred)
    await resting.paid(TAHAP)
    assert list(office.world.credited().values()) == [EARLY_CHILD_IDR]
    outstanding = (await office.tahap(TAHAP)).outstanding
    assert (len(outstanding), outstanding[-1]) == (WITHHELD_MAX + 1, await lost(resting))
    assert [each.body["tahap"] for each in await register.closed()] == ["2023-1", TAHAP, LATER]
