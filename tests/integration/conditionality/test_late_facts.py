"""A fact that comes late is judged again, and none slips between an evaluation and its log."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

from libs.events.domain.list_proof import Buckets
from libs.events.workers.backoff import failing_item
from services.conditionality.workers.job_progress import EVALUATIONS, RE_DECISION
from tests.doors import batches, sent
from tests.integration.conditionality.kit import (
    BAD,
    GOOD,
    NEXT_TAHAP,
    TAHAP,
    Bench,
    families,
    months_of,
)
from tests.servers import eventually

FAMILY, SECOND = islice(families(), 2)


async def given_closed(bench: Bench, *listed: str) -> None:
    """A tahap of these families, evaluated and closed."""
    await bench.take(bench.announced(), *(bench.line(each) for each in listed))
    await bench.take(bench.list_closed(len(listed)))
    await bench.re_decide()
    assert await bench.close()


# -- Before the freeze ----------------------------------------------------------------------------


async def test_a_late_fact_makes_a_new_revision_and_the_tahap_is_closed_anew(
    bench: Bench,
) -> None:
    await bench.school(FAMILY, BAD)
    await given_closed(bench, FAMILY, SECOND)

    await bench.school(FAMILY, GOOD)
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert await bench.followed(FAMILY) == ["Suspended", "Released"]
    assert await bench.evaluated(SECOND) == [(1, "UNVERIFIED")]
    assert await bench.close()
    first, second = await bench.closings()
    assert (second["revision"], second["evaluated"]) == (2, first["evaluated"])
    assert Buckets.from_json(second["buckets"]) == await bench.latest()
    assert not await bench.close()


async def test_a_late_fact_that_changes_no_duty_changes_nothing(bench: Bench) -> None:
    await bench.school(FAMILY, GOOD)
    await given_closed(bench, FAMILY)

    await bench.school(FAMILY, GOOD + 1)
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "COMPLIANT")]
    assert not await bench.close()


async def test_a_fact_of_other_months_re_decides_nothing(bench: Bench) -> None:
    await bench.school(FAMILY, GOOD)
    await given_closed(bench, FAMILY)

    await bench.school(FAMILY, BAD, months=months_of(NEXT_TAHAP))
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "COMPLIANT")]


async def test_a_late_fact_of_an_earlier_tahap_re_decides_that_tahap(bench: Bench) -> None:
    await bench.school(FAMILY, BAD)
    await given_closed(bench, FAMILY)
    await bench.take(bench.line(FAMILY, NEXT_TAHAP))

    await bench.school(FAMILY, GOOD)
    await bench.re_decide()

    assert await bench.evaluated(FAMILY, TAHAP) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert await bench.evaluated(FAMILY, NEXT_TAHAP) == [(1, "UNVERIFIED")]


async def test_a_fact_recorded_while_its_evaluation_is_not_committed_is_found(
    bench: Bench,
) -> None:
    await bench.school(FAMILY, BAD)
    evaluated, recorded = asyncio.Event(), asyncio.Event()

    async def gate(_unit: Any, _messages: Any) -> None:
        evaluated.set()
        await recorded.wait()

    member = bench.gated(gate)
    await member._open_checkpoints()
    [batch] = batches(bench.line(FAMILY))
    judging = asyncio.create_task(member.process(batch))
    await asyncio.wait_for(evaluated.wait(), 5)
    await bench.school(FAMILY, GOOD)
    await bench.re_decide()  # sees the fact, and no evaluation yet
    recorded.set()
    await judging

    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    await bench.re_decide()
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]


async def test_two_that_re_decide_at_once_come_to_one_revision(bench: Bench) -> None:
    await bench.school(FAMILY, BAD)
    await given_closed(bench, FAMILY)
    await bench.school(FAMILY, GOOD)

    await asyncio.gather(bench.re_decide(), bench.re_decide())

    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert await bench.close()


async def test_many_late_facts_are_all_found_whatever_the_window_holds(bench: Bench) -> None:
    listed = list(islice(families(), 40))
    for family in listed:
        await bench.school(family, BAD)
    await given_closed(bench, *listed)

    await asyncio.gather(*(bench.school(family, GOOD) for family in listed))
    await bench.re_decide()

    for family in listed:
        assert await bench.evaluated(family) == [(1, "FAILED"), (2, "COMPLIANT")]


# -- After the freeze -----------------------------------------------------------------------------


async def given_frozen(bench: Bench, *deferred: str) -> None:
    """Two families that failed; the list of both is frozen but for the deferred."""
    for family in (FAMILY, SECOND):
        await bench.school(family, BAD)
    await given_closed(bench, FAMILY, SECOND)
    await bench.take(bench.frozen(*deferred))


async def test_a_fact_after_the_freeze_is_proposed_and_changes_nothing_by_itself(
    bench: Bench,
) -> None:
    await given_frozen(bench)

    await bench.school(FAMILY, GOOD, actor="school-7")
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    [proposed] = await bench.corrections()
    assert (proposed.type, proposed.key) == ("CorrectionProposed", FAMILY)
    assert (proposed.body["result"], proposed.body["revision"]) == ("COMPLIANT", 2)
    assert proposed.body["recorded_by"] == ["school-7"]
    assert not await bench.close()


async def test_a_deferred_family_is_still_revised(bench: Bench) -> None:
    await given_frozen(bench, SECOND)

    await bench.school(SECOND, GOOD)
    await bench.re_decide()

    assert await bench.evaluated(SECOND) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert await bench.corrections() == []


async def test_everyone_who_recorded_a_fact_behind_a_proposal_is_named(bench: Bench) -> None:
    await given_frozen(bench)

    first, second, third = months_of(TAHAP)
    await bench.school(FAMILY, GOOD, months=[first], actor="school-1")
    await bench.school(FAMILY, GOOD, months=[second], actor="school-2")
    await bench.school(FAMILY, GOOD, months=[third], actor="school-3")
    await bench.school(FAMILY, GOOD, months=months_of(NEXT_TAHAP), actor="school-4")
    await bench.re_decide()

    [proposed] = await bench.corrections()
    assert proposed.body["recorded_by"] == ["school-1", "school-2", "school-3"]


async def test_facts_that_come_back_to_what_the_cycle_says_withdraw_the_proposal(
    bench: Bench,
) -> None:
    await given_frozen(bench)
    await bench.school(FAMILY, GOOD)
    await bench.re_decide()

    await bench.school(FAMILY, BAD)
    await bench.re_decide()

    assert [m.type for m in await bench.corrections()] == [
        "CorrectionProposed",
        "CorrectionWithdrawn",
    ]


async def test_the_running_service_finds_a_late_fact_by_itself(
    bench: Bench, conditionality: Any
) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.list_closed(1))
    await eventually(bench.closings)

    await bench.school(FAMILY, GOOD)

    async def closed_anew() -> bool:
        return len(await sent(bench.store, "EvaluationClosed")) == 2

    await eventually(closed_anew)
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]


# -- A cycle that cannot be judged ----------------------------------------------------------------


async def given_unreadable(bench: Bench, family: str) -> str:
    """Nobody can read the state of a family's commitment any more; answers what it was."""
    stream = f"commitment-{family}"
    state = await bench.store.pool.fetchval(
        "SELECT state::text FROM streams WHERE stream_id = $1", stream
    )
    await set_state(bench, family, '"none"')
    return str(state)


async def set_state(bench: Bench, family: str, state: str) -> None:
    await bench.store.pool.execute(
        "UPDATE streams SET state = $2::json WHERE stream_id = $1", f"commitment-{family}", state
    )


async def given_one_unreadable(bench: Bench) -> str:
    """Late facts of two families, recorded by two people; one of them cannot be judged."""
    for family in (FAMILY, SECOND):
        await bench.school(family, BAD)
    await given_closed(bench, FAMILY, SECOND)
    before = await given_unreadable(bench, FAMILY)
    for family in (FAMILY, SECOND):
        await bench.school(family, GOOD, actor="school-2")
    await bench.re_decide()
    return before


async def test_a_cycle_that_cannot_be_judged_again_waits_by_name_and_all_others_are_judged(
    bench: Bench,
) -> None:
    await given_one_unreadable(bench)

    assert await bench.evaluated(SECOND) == [(1, "FAILED"), (2, "COMPLIANT")]
    failed = await failing_item(bench.store.pool, RE_DECISION, f"{TAHAP} {FAMILY}")
    assert failed is not None
    assert failed.attempts >= 1
    job = await EVALUATIONS.find(bench.store, f"evaluation-{TAHAP}")
    assert job is not None
    assert job.problem is not None
    assert job.problem.detail == f"cannot be judged again: {FAMILY} (ValidationError)"


async def test_whoever_recorded_a_fact_is_named_once_a_cycle_that_waits_can_be_judged(
    bench: Bench,
) -> None:
    await given_frozen(bench)
    before = await given_unreadable(bench, FAMILY)
    for actor, absent in (("school-2", GOOD), ("school-3", GOOD + 1)):
        await bench.school(FAMILY, absent, actor=actor)
        await bench.re_decide()
    assert await sent(bench.store, "CorrectionProposed") == []

    await set_state(bench, FAMILY, before)
    await bench.re_decide()

    [proposed] = await sent(bench.store, "CorrectionProposed")
    assert proposed.body["recorded_by"] == ["school-2", "school-3"]
    assert await failing_item(bench.store.pool, RE_DECISION, f"{TAHAP} {FAMILY}") is None


async def test_a_cycle_that_waits_is_forgotten_with_its_cancelled_tahap(bench: Bench) -> None:
    before = await given_one_unreadable(bench)
    await set_state(bench, FAMILY, before)
    await bench.take(bench.cancelled())
    await bench.withdraw()
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    assert await failing_item(bench.store.pool, RE_DECISION, f"{TAHAP} {FAMILY}") is None
