"""A replay is a job: asked for once, done step by step by whoever runs, seen, ended and told of."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from libs.chassis.idempotency import OnceOnly
from libs.chassis.jobs import Job, JobNotCancellable, Wanted
from libs.chassis.replay_jobs import ReplayJobs, begin
from libs.chassis.replay_worker import ReplayWorker
from libs.events.consumer.parking import ALL_PARKED, NothingParked, Selection, list_parked
from libs.events.domain.errors import UnknownEvent
from libs.events.relay.outbox import Relay
from tests.corridor import TOPICS, Corridor, corridor_at, running
from tests.poisoned import EFFECTS, Reader
from tests.purse import CONTEXT, TOPIC
from tests.servers import Postgres, eventually

KEYS: Final = 12
MESSAGES: Final = 3
REPLAYS: Final = ReplayJobs()


@pytest_asyncio.fixture
async def corridor(postgres: Postgres) -> AsyncIterator[Corridor]:
    """Everything that was sent is parked: three messages of each of twelve keys."""
    async with corridor_at(postgres) as found:
        await found.reader.pool.execute(EFFECTS)
        reader = Reader(found.reader, range(1, KEYS + 1))
        async with running(Relay(found.writer, found.bus, TOPICS), reader.consumer(found.bus)):
            for _ in range(MESSAGES):
                await found.put(*range(1, KEYS + 1))
            await eventually(found.caught_up)
        yield found


def mended(corridor: Corridor, *still: int) -> ReplayWorker:
    return ReplayWorker(corridor.reader, Reader(corridor.reader, still).subscriptions)


async def asked(corridor: Corridor, selection: Selection = ALL_PARKED, key: str = "k1") -> str:
    async with corridor.reader.transaction(CONTEXT) as unit:
        return (await begin(unit, OnceOnly("ops", key, hashlib.sha256()), selection)).id


async def done(worker: ReplayWorker) -> None:
    while await worker.step():
        """Until there is nothing left to replay."""


async def job(corridor: Corridor, name: str) -> Job:
    found = await REPLAYS.find(corridor.reader, name)
    assert found is not None
    return found


async def parked(corridor: Corridor) -> int:
    return len(await list_parked(corridor.reader))


async def test_everything_is_replayed_and_its_job_tells_how_far_it_is(corridor: Corridor) -> None:
    name = await asked(corridor)
    before = await job(corridor, name)
    worker = mended(corridor, 5)
    assert await worker.step()
    going = await job(corridor, name)
    await done(worker)
    after = await job(corridor, name)

    assert (before.state, before.done, before.total) == ("RUNNING", 0, KEYS * MESSAGES)
    assert (going.state, 0 < going.done < KEYS * MESSAGES) == ("RUNNING", True)
    assert (after.state, after.done, after.unit) == ("DONE", KEYS * MESSAGES, "messages")
    assert after.counts == {"handled": (KEYS - 1) * MESSAGES, "refused": MESSAGES}
    assert (after.about, after.by) == ("everything", "ops")
    assert await parked(corridor) == MESSAGES


async def test_one_key_is_replayed_and_the_others_wait_on(corridor: Corridor) -> None:
    name = await asked(corridor, Selection(TOPIC, "5"))
    await done(mended(corridor))

    found = await job(corridor, name)
    assert (found.about, found.counts) == (f"{TOPIC} 5", {"handled": MESSAGES, "refused": 0})
    assert await parked(corridor) == (KEYS - 1) * MESSAGES


async def test_a_replay_that_another_process_began_is_gone_on_with(corridor: Corridor) -> None:
    name = await asked(corridor)
    assert await mended(corridor).step()  # and this process is gone
    await done(mended(corridor))

    assert (await job(corridor, name)).counts == {"handled": KEYS * MESSAGES, "refused": 0}
    rows = await corridor.reader.pool.fetch("SELECT key, position FROM effect")
    assert len(rows) == len(set(rows)) == KEYS * MESSAGES


async def test_two_processes_never_do_the_same_replay_at_once(corridor: Corridor) -> None:
    name = await asked(corridor)
    one, other = mended(corridor), mended(corridor)
    while (await job(corridor, name)).state == "RUNNING":
        await asyncio.gather(one.step(), other.step())

    assert (await job(corridor, name)).counts == {"handled": KEYS * MESSAGES, "refused": 0}


async def test_a_cancelled_replay_ends_and_keeps_what_went_through(corridor: Corridor) -> None:
    name = await asked(corridor)
    worker = mended(corridor)
    assert await worker.step()
    async with corridor.reader.transaction(CONTEXT) as unit:
        await REPLAYS.cancel(unit, await job(corridor, name), "ops")
    asked_to_end = await job(corridor, name)
    await done(worker)

    ended = await job(corridor, name)
    assert (asked_to_end.cancelling, ended.state, ended.cancelling) == (True, "CANCELLED", False)
    assert await parked(corridor) == KEYS * MESSAGES - ended.done > 0
    async with corridor.reader.transaction(CONTEXT) as unit:
        with pytest.raises(JobNotCancellable):
            await REPLAYS.cancel(unit, ended, "ops")


async def test_a_replay_that_only_a_person_can_mend_fails_and_says_why(corridor: Corridor) -> None:
    class Older(Reader):
        async def take(self, *_: object) -> None:
            raise UnknownEvent(type="CoinsPutIn")

    name = await asked(corridor)
    await done(ReplayWorker(corridor.reader, Older(corridor.reader).subscriptions))

    failed = await job(corridor, name)
    assert (failed.state, await parked(corridor)) == ("FAILED", KEYS * MESSAGES)
    assert failed.problem is not None
    assert "not known here. (type=CoinsPutIn)" in str(failed.problem.detail)


async def test_a_replay_that_fails_by_itself_stops_none_behind_it(corridor: Corridor) -> None:
    await corridor.reader.pool.execute("UPDATE parked SET message = '[]' WHERE key = '5'")
    odd = await asked(corridor, Selection(TOPIC, "5"), "k1")
    other = await asked(corridor, Selection(TOPIC, "6"), "k2")
    await done(mended(corridor))

    assert (await job(corridor, odd)).state == "FAILED"
    assert (await job(corridor, other)).counts == {"handled": MESSAGES, "refused": 0}


async def test_a_replay_of_nothing_is_refused(corridor: Corridor) -> None:
    with pytest.raises(NothingParked):
        await asked(corridor, Selection(TOPIC, "nobody"))


async def test_replays_are_listed_newest_first_and_found_by_their_request(
    corridor: Corridor,
) -> None:
    names = [await asked(corridor, key=key) for key in ("a", "b")]

    found = await REPLAYS.newest(corridor.reader, Wanted(None, None, None, 10))
    of_key = await REPLAYS.newest(corridor.reader, Wanted("ops", "a", None, 10))
    behind = found[0].started_at, found[0].id
    rest = await REPLAYS.newest(corridor.reader, Wanted(None, None, behind, 10))

    assert [each.id for each in found] == names[::-1]
    assert [each.id for each in of_key] == [each.id for each in rest] == names[:1]


async def test_what_is_wrong_now_is_told_of_what_is_still_parked(corridor: Corridor) -> None:
    class Worse(Reader):
        async def take(self, *_: object) -> None:
            raise LookupError("3201010101010101")

    await asked(corridor)
    await done(ReplayWorker(corridor.reader, Worse(corridor.reader).subscriptions))

    errors = {each.error for each in await list_parked(corridor.reader)}
    assert errors == {"LookupError", "an earlier message of this key is parked"}
