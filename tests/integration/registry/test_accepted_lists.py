"""Two people let a list go on that rests because very many families are withheld."""

from __future__ import annotations

import httpx

from libs.events.domain.list_proof import Buckets
from libs.events.store.handle import handle
from services.registry.contract import LISTING
from services.registry.domain.listing.messages import (
    AdvanceListing,
    CloseListing,
    Command,
    Withheld,
)
from tests.doors import CONTEXT, NATION, Door, sent
from tests.integration.registry.kit import Register
from tests.unit.registry.test_listing import START

PATH = "/lists/2023-1"


async def decide(
    door: Door, what: str, most: int, subject: str, regions: tuple[str, ...] = NATION
) -> httpx.Response:
    """The answer to somebody who looks at the list, and then decides."""
    seen = (await look(door)).headers["ETag"]
    who = door.who(subject, "registry:approve", regions=regions) | {"If-Match": seen}
    return await door.post(f"{PATH}/withheld-{what}", who, json={"most": most})


async def look(door: Door) -> httpx.Response:
    who = door.who("reader-1", "registry:read")
    return await door.client.get(PATH, headers=who)


async def happens(register: Register, *commands: Command) -> None:
    """The list is asked these things; no leader makes it, so it stays as it is."""
    async with register.store.transaction(CONTEXT) as unit:
        for command in commands:
            await handle(unit, LISTING, "listing-2023-1", command)


def withhold(cursor: str, count: int) -> AdvanceListing:
    """A chunk of families that somebody could mend is withheld."""
    families = tuple(Withheld(f"{cursor}-{n}", "KEY_MISSING") for n in range(count))
    return AdvanceListing(1, cursor, 0, 0, Buckets(), withheld=families)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_two_people_accept_how_many_families_a_list_withholds(
    register: Register, registry: Door
) -> None:
    assert problem(await look(registry)) == (404, "tahap-unknown")
    await happens(register, START, withhold("0", 600))
    assert (await decide(registry, "proposal", 5_000, "ana")).status_code == 204
    shown = (await look(registry)).json()
    assert (shown["withheld"], shown["mendable"], shown["withheld_max"]) == (600, 600, 1_000)
    assert shown["proposal"] == {"most": 5_000, "maker": "ana"}

    assert problem(await decide(registry, "approval", 5_000, "ana")) == (409, "same-person")
    other = await decide(registry, "approval", 9_000, "ben")
    assert problem(other) == (409, "nothing-proposed")
    local = await decide(registry, "approval", 5_000, "ben", regions=("61.03",))
    assert problem(local) == (403, "region-not-yours")
    assert (await decide(registry, "approval", 5_000, "ben")).status_code == 204
    shown = (await look(registry)).json()
    assert (shown["withheld_max"], shown["proposal"]) == (5_000, None)


async def test_an_acceptance_of_what_has_changed_since_is_refused(
    register: Register, registry: Door
) -> None:
    await happens(register, START)
    who = registry.who("ben", "registry:approve") | {"If-Match": '"1-1000-0"'}
    await decide(registry, "proposal", 5_000, "ana")

    late = await registry.post(f"{PATH}/withheld-approval", who, json={"most": 5_000})

    assert problem(late) == (412, "version-stale")


async def test_families_beyond_those_that_the_end_names_are_told_before_it(
    register: Register, registry: Door
) -> None:
    await happens(register, START, withhold("0", 900))
    await decide(registry, "proposal", 5_000, "ana")
    await decide(registry, "approval", 5_000, "ben")
    await happens(register, withhold("1", 300), CloseListing(1))

    [beyond, closed] = await sent(register.store, "FamiliesWithheld", "ListClosed")
    assert (beyond.key, len(beyond.body["withheld"])) == (closed.key, 200)
    assert (len(closed.body["withheld"]), closed.body["withheld_more"]) == (1_000, 200)
