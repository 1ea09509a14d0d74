"""A cancelled tahap's cycles are withdrawn, and what is judged anew counts alone."""

from __future__ import annotations

from itertools import islice

import pytest
import pytest_asyncio

from tests.doors import sent
from tests.integration.conditionality.kit import BAD, GOOD, TAHAP, Bench, families

FAMILY, SECOND = islice(families(), 2)


@pytest_asyncio.fixture
async def judged(bench: Bench) -> Bench:
    """A tahap of two families, one of which has failed, that is closed."""
    await bench.school(FAMILY, BAD)
    await bench.school(SECOND, GOOD)
    await bench.take(
        bench.announced(), bench.line(FAMILY), bench.line(SECOND), bench.list_closed(2)
    )
    assert await bench.close()
    return bench


async def rows_of(bench: Bench) -> int:
    """Rows beside the streams that are of the tahap."""
    found: int = await bench.store.pool.fetchval(
        """SELECT (SELECT count(*) FROM roster_line WHERE tahap = $1)
                + (SELECT count(*) FROM duty_holder WHERE tahap = $1)
                + (SELECT count(*) FROM evaluated_line WHERE tahap = $1)
                + (SELECT count(*) FROM evaluation_open WHERE tahap = $1)""",
        TAHAP,
    )
    return found


async def test_cycles_of_a_cancelled_tahap_are_withdrawn_and_nothing_is_left(
    judged: Bench,
) -> None:
    await judged.take(judged.cancelled())
    await judged.withdraw()

    assert await judged.followed(FAMILY) == ["Suspended", "CycleWithdrawn"]
    assert await judged.followed(SECOND) == ["CycleWithdrawn"]
    assert await rows_of(judged) == 0
    assert not await judged.close()


async def test_a_line_of_a_cancelled_list_that_comes_late_is_not_judged(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.cancelled())
    await bench.take(bench.line(FAMILY), bench.list_closed(1))
    await bench.withdraw()

    assert await bench.evaluated(FAMILY) == []
    assert not await bench.close()
    assert await rows_of(bench) == 0


@pytest.mark.parametrize("first", ["withdrawn", "listed"])
async def test_a_tahap_that_is_announced_anew_is_judged_and_proven_anew(
    judged: Bench, first: str
) -> None:
    lines = [judged.line(FAMILY, revision=2), judged.list_closed(1, revision=2)]
    await judged.take(judged.cancelled(), judged.announced(revision=2))
    if first == "withdrawn":
        await judged.withdraw()
        await judged.take(*lines)
    else:
        await judged.take(*lines)
        assert not await judged.close()
        await judged.withdraw()

    assert await judged.close()
    [_, closed] = await judged.closings()
    assert (closed["roster_revision"], closed["evaluated"], closed["revision"]) == (2, 1, 2)
    assert [result for _, result in await judged.evaluated(FAMILY)] == ["FAILED", "FAILED"]
    assert (await judged.followed(SECOND))[-1] == "CycleWithdrawn"
    counted = [m.body["counter"] for m in await sent(judged.store, "CycleEvaluated")]
    assert counted[-1] == 1


async def test_a_late_fact_of_a_cancelled_tahap_judges_nobody(judged: Bench) -> None:
    await judged.take(judged.cancelled())
    await judged.school(SECOND, BAD)
    await judged.re_decide()
    await judged.withdraw()

    assert await judged.evaluated(SECOND) == [(1, "COMPLIANT")]
