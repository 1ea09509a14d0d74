"""The evaluation of a tahap is a job: how far it is, and what it came to."""

from __future__ import annotations

from itertools import islice

from libs.chassis.jobs import Job
from services.conditionality.workers.job_progress import EVALUATIONS
from tests.integration.conditionality.kit import GOOD, TAHAP, Bench, families

FIRST, SECOND, THIRD = islice(families(), 3)


async def evaluation(bench: Bench) -> Job:
    found = await EVALUATIONS.find(bench.store, f"evaluation-{TAHAP}")
    assert found is not None
    return found


async def test_an_evaluation_tells_how_far_it_is_and_what_it_came_to(bench: Bench) -> None:
    await bench.school(FIRST, GOOD)
    await bench.take(bench.announced())
    announced = await evaluation(bench)
    await bench.take(bench.line(FIRST), bench.line(SECOND))
    going = await evaluation(bench)
    await bench.take(bench.line(THIRD), bench.list_closed(3))
    listed = await evaluation(bench)
    assert await bench.close()
    closed = await evaluation(bench)

    progress = [(job.state, job.done, job.total) for job in (announced, going, listed, closed)]
    assert progress == [
        ("RUNNING", 0, None),
        ("RUNNING", 2, None),
        ("RUNNING", 3, 3),
        ("DONE", 3, 3),
    ]
    assert closed.result == {"evaluated": 3, "parked": 0}
    assert closed.unit == "families"


async def test_an_evaluation_stays_done_when_its_list_is_frozen(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.line(FIRST), bench.list_closed(1))
    assert await bench.close()
    before = await evaluation(bench)

    await bench.take(bench.frozen())

    assert await evaluation(bench) == before
