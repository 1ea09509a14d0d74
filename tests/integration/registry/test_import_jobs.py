"""An upload is a job that one can look at, end, and begin again where it was cut off."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from libs.chassis.csv_upload import ImportReport
from libs.chassis.idempotency import OnceOnly
from libs.chassis.import_jobs import ImportJob, JobCancelled
from libs.chassis.spool import Spool
from tests.doors import CONTEXT, Door
from tests.integration.registry.kit import IMPORT, Register, as_csv, family, hand_in
from tests.servers import Postgres, eventually

CARDS = [f"61030101010{number:05}" for number in range(2_000)]
FILE = as_csv("families", map(family, CARDS))
HALF = len(FILE) // 2  # more than what is read before rows are looked for
CLERK, OTHER, OPERATOR = "importer-1", "importer-2", "operator-1"


@dataclass(slots=True)
class Halting:
    """A spool whose uploads stand still in their middle until `rest` says so."""

    spool: Spool
    rest: asyncio.Event = field(default_factory=asyncio.Event)
    size: int = 0

    @asynccontextmanager
    async def received(self, client: str, body: AsyncIterable[bytes]) -> AsyncIterator[Halting]:
        async with self.spool.received(client, body) as upload:
            self.size = upload.size
            yield self

    async def chunks(self) -> AsyncIterator[bytes]:
        yield FILE[:HALF].encode()
        await self.rest.wait()
        yield FILE[HALF:].encode()


@dataclass(slots=True)
class Half:
    """A file of which half was taken in; the rest follows when it is asked for."""

    rest: asyncio.Event
    answer: asyncio.Task[httpx.Response]

    async def taken(self) -> httpx.Response:
        """The answer once all of it was taken in."""
        self.rest.set()
        return await self.answer


@asynccontextmanager
async def half_taken(registry: Door, key: str = "once") -> AsyncIterator[Half]:
    # The client keeps the application that it asks without a socket; its type does not say so.
    state = registry.client._transport.app.state  # type: ignore[attr-defined]
    spool = Halting(state.spool)
    state.spool = spool
    answer = asyncio.create_task(hand_in(registry, "families", FILE, key=key))
    try:
        await eventually(lambda: job_is(registry, key, lambda job: job["done"] > 0))
        state.spool = spool.spool
        yield Half(spool.rest, answer)
    finally:
        state.spool = spool.spool
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)


async def job_of(registry: Door, key: str = "once") -> dict[str, Any]:
    """The job of the clerk's request of this key."""
    who = registry.who(CLERK, IMPORT)
    answer = await registry.client.get("/jobs", params={"key": key}, headers=who)
    assert answer.status_code == 200, answer.text
    [job] = answer.json()["items"]
    return dict(job)


async def job_is(registry: Door, key: str, true: Callable[[dict[str, Any]], bool]) -> bool:
    who = registry.who(CLERK, IMPORT)
    answer = await registry.client.get("/jobs", params={"key": key}, headers=who)
    return any(map(true, answer.json()["items"]))


async def cancel(registry: Door, job: str, subject: str, *scopes: str) -> httpx.Response:
    return await registry.post(f"/jobs/{job}/cancellation", registry.who(subject, *scopes))


async def streams(register: Register) -> int:
    return int(await register.store.pool.fetchval("SELECT count(*) FROM streams"))


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_an_upload_can_be_looked_at_while_it_goes_and_when_it_is_done(registry: Door) -> None:
    async with half_taken(registry) as upload:
        going = await job_of(registry)
        answer = await upload.taken()

    assert (going["state"], going["unit"], going["about"]) == ("RUNNING", "bytes", "families.csv")
    assert (going["done"], going["total"]) == (HALF, len(FILE))
    assert 0 < going["counts"]["rows"] < len(CARDS)
    assert going["rate"] > 0
    assert answer.headers["Location"] == f"/jobs/{going['id']}"
    done = await registry.client.get(
        answer.headers["Location"], headers=registry.who(CLERK, IMPORT)
    )
    assert (done.json()["state"], done.json()["done"]) == ("DONE", len(FILE))
    assert done.json()["result"]["accepted"] == len(CARDS)


async def test_a_cancelled_upload_keeps_nothing_and_may_be_begun_again(
    registry: Door, register: Register
) -> None:
    async with half_taken(registry) as upload:
        begun = await job_of(registry)
        asked = await cancel(registry, begun["id"], CLERK, IMPORT)
        assert (asked.status_code, asked.json()["cancelling"]) == (202, True)
        refused = await upload.taken()

    assert kind_of(refused) == (409, "job-cancelled")
    assert refused.headers["Location"] == f"/jobs/{begun['id']}"
    ended = await job_of(registry)
    assert (ended["state"], ended["problem"]["type"]) == ("CANCELLED", "/problems/job-cancelled")
    assert await streams(register) == 0

    again = await hand_in(registry, "families", FILE, key="once")

    assert again.json()["accepted"] == len(CARDS)
    assert (await job_of(registry))["state"] == "DONE"


async def test_an_upload_that_is_cancelled_behind_its_last_look_keeps_nothing(
    registry: Door, register: Register
) -> None:
    once = OnceOnly(CLERK, "once", hashlib.sha256())
    job = ImportJob(register.store, once, "families.csv", 1, clock=lambda: 0.0)
    report = ImportReport("families.csv")

    with pytest.raises(JobCancelled):
        async with register.store.transaction(CONTEXT) as unit, job.running(unit.connection):
            await job.advance(report, 1)
            asked = await cancel(registry, job.id, CLERK, IMPORT)
            await job.advance(report, 1)  # no time has passed, so nobody looks
            await job.done(unit.connection, report)

    assert asked.status_code == 202
    assert (await job_of(registry))["state"] == "CANCELLED"


async def test_an_upload_that_was_cut_off_goes_on_under_the_same_job(
    registry: Door, register: Register
) -> None:
    async with half_taken(registry):
        begun = await job_of(registry)

    cut = await job_of(registry)
    assert (cut["state"], cut["attempt"]) == ("INTERRUPTED", 1)
    assert await streams(register) == 0

    again = await hand_in(registry, "families", FILE, key="once")

    assert again.json()["accepted"] == len(CARDS)
    done = await job_of(registry)
    assert (done["id"], done["state"], done["attempt"]) == (begun["id"], "DONE", 2)


async def test_an_upload_whose_database_session_was_killed_is_interrupted(
    registry: Door, register: Register, postgres: Postgres
) -> None:
    async with half_taken(registry):
        killed = """SELECT pg_terminate_backend(pid) FROM pg_locks JOIN job
                    ON (classid::bigint << 32) | objid::bigint = job.lock"""
        name = await register.store.pool.fetchval("SELECT current_database()")
        postgres.run_sql(killed, name)
        interrupted = await eventually(
            lambda: job_is(registry, "once", lambda job: job["state"] == "INTERRUPTED")
        )

    assert interrupted


async def test_while_an_upload_lives_the_same_request_is_told_to_wait(registry: Door) -> None:
    async with half_taken(registry) as upload:
        meanwhile = await hand_in(registry, "families", FILE, key="once")
        first = await upload.taken()

    assert kind_of(meanwhile) == (409, "idempotency-key-in-flight")
    assert "Retry-After" in meanwhile.headers
    assert first.json()["accepted"] == len(CARDS)


async def test_an_answered_request_is_answered_again_and_its_job_stays_done(registry: Door) -> None:
    await hand_in(registry, "families", FILE, key="once")
    before = await job_of(registry)

    again = await hand_in(registry, "families", FILE, key="once")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == f"/jobs/{before['id']}"
    assert await job_of(registry) == before


async def test_a_refused_file_is_a_failed_job_that_says_why(registry: Door) -> None:
    answer = await hand_in(registry, "families", as_csv("families", [family("")]), key="once")

    job = await job_of(registry)
    assert answer.headers["Location"] == f"/jobs/{job['id']}"
    assert (job["state"], job["problem"]["type"]) == ("FAILED", "/problems/rows-refused")
    assert job["problem"]["detail"] == answer.json()["detail"]
    assert job["result"] is None


# -- Who may -------------------------------------------------------------------------------------


async def test_a_job_is_seen_by_who_began_it_and_by_operations_alone(registry: Door) -> None:
    await hand_in(registry, "families", FILE, key="once")
    job = (await job_of(registry))["id"]

    async def seen_by(subject: str, scope: str) -> tuple[int, list[str]]:
        who = registry.who(subject, scope)
        one = await registry.client.get(f"/jobs/{job}", headers=who)
        every = await registry.client.get("/jobs", headers=who)
        return one.status_code, [each["id"] for each in every.json()["items"]]

    assert await seen_by(CLERK, IMPORT) == (200, [job])
    assert await seen_by(OTHER, IMPORT) == (404, [])
    assert await seen_by(OPERATOR, "platform:read") == (200, [job])


async def test_only_who_began_a_job_or_operates_the_platform_may_end_it(registry: Door) -> None:
    async with half_taken(registry) as upload:
        job = (await job_of(registry))["id"]
        stranger = await cancel(registry, job, OTHER, IMPORT)
        observer = await cancel(registry, job, OTHER, IMPORT, "platform:read")
        operator = await cancel(registry, job, OPERATOR, "platform:operate")
        refused = await upload.taken()

    assert kind_of(stranger) == (404, "job-unknown")
    assert kind_of(observer) == (403, "scope-missing")
    assert operator.status_code == 202
    assert kind_of(refused) == (409, "job-cancelled")


async def test_what_has_ended_can_not_be_cancelled(registry: Door) -> None:
    await hand_in(registry, "families", FILE, key="once")
    job = (await job_of(registry))["id"]

    answer = await cancel(registry, job, CLERK, IMPORT)

    assert kind_of(answer) == (409, "job-not-cancellable")
    assert "it is DONE" in answer.json()["detail"]
    assert (await job_of(registry))["state"] == "DONE"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_job_is_a_problem_of_its_own(registry: Door, method: str) -> None:
    who = registry.who(CLERK, IMPORT)
    path = "/jobs/import-0" + ("/cancellation" if method == "POST" else "")

    answer = await registry.client.request(method, path, headers={**who, "Idempotency-Key": "k"})

    assert kind_of(answer) == (404, "job-unknown")


async def test_jobs_are_paged_newest_first(registry: Door) -> None:
    for number in range(3):
        row = family(CARDS[number])
        await hand_in(registry, "families", as_csv("families", [row]), key=f"key-{number}")
    newest_first = [(await job_of(registry, f"key-{number}"))["id"] for number in (2, 1, 0)]
    who = registry.who(CLERK, IMPORT)

    async def page(**query: Any) -> tuple[list[str], str | None]:
        answer = (await registry.client.get("/jobs", params=query, headers=who)).json()
        return [job["id"] for job in answer["items"]], answer["next"]

    first, cursor = await page(limit=2)
    second, end = await page(limit=2, cursor=cursor)

    assert first + second == newest_first
    assert end is None
    odd = await registry.client.get("/jobs", params={"cursor": "odd"}, headers=who)
    assert kind_of(odd) == (400, "cursor-foreign")
