"""The list of a tahap is a job: how far it is, what it came to, and why nobody can end it."""

from __future__ import annotations

from libs.chassis.jobs import Job
from libs.chassis.settings import Settings
from services.registry.workers.job_progress import LISTINGS
from tests.doors import Door
from tests.integration.registry.kit import Register, register_at
from tests.integration.registry.lists import CARDS, CHUNK
from tests.servers import eventually

LISTING = "listing-2023-1"


async def listing(register: Register) -> Job:
    found = await LISTINGS.find(register.store, LISTING)
    assert found is not None
    return found


async def test_a_list_tells_how_far_it_is_and_what_it_came_to(given: Register) -> None:
    assert await LISTINGS.find(given.store, LISTING) is None
    await given.announce()
    announced = await listing(given)
    await given.lister(CHUNK).step()
    begun = await listing(given)
    await given.list_all(CHUNK)
    closed = await listing(given)

    assert (announced.state, announced.done, announced.total) == ("RUNNING", 0, None)
    assert (begun.state, begun.done, begun.unit) == ("RUNNING", CHUNK, "families")
    assert begun.total is not None
    # Ids are random, so the place of the fifth of 23 tells about how many there are.
    assert CHUNK <= begun.total <= 10 * len(CARDS)
    assert (closed.state, closed.done, closed.total) == ("DONE", len(CARDS), len(CARDS))
    counted = {"listed": len(CARDS), "graduated": 0, "pending": 0, "withheld": 0}
    assert closed.result == counted
    assert announced.started_at == closed.started_at < closed.changed_at


async def test_a_list_that_was_interrupted_goes_on_where_it_was(
    given: Register, settings: Settings
) -> None:
    await given.announce()
    await given.lister(CHUNK).step()
    before = await listing(given)

    async with register_at(settings) as another:
        found = await listing(another)
        assert (found.done, found.started_at) == (before.done, before.started_at)
        await another.lister(CHUNK).step()
        assert (await listing(another)).done == 2 * CHUNK


async def test_a_list_is_seen_over_http_and_not_cancelled(
    registry: Door, register: Register
) -> None:
    await register.announce()
    await eventually(register.closed)
    reader = registry.who("reader-1", "registry:read")
    operator = registry.who("operator-1", "platform:operate")

    settings = await registry.client.get("/jobs", headers=reader)
    refused = await registry.post(f"/jobs/{LISTING}/cancellation", operator)

    assert [(job["id"], job["kind"], job["about"]) for job in settings.json()["items"]] == [
        (LISTING, "listing", "2023-1")
    ]
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/job-not-cancellable")
    assert "made to its end" in refused.json()["detail"]
