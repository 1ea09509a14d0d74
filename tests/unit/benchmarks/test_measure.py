from itertools import count

from benchmarks.judge import Verdict
from benchmarks.measure import LOOKS_MAX, ROUNDS_MIN, Effort, Line, Way, in_turn

ROUNDS = 5


def lines(least: float) -> list[Line]:
    return [Line("ours", "a second", "ours"), Line("bare", "a second", "bare", "ours", least)]


def steady(rate: float, calls: list[float]) -> Way:
    async def way() -> float:
        calls.append(rate)
        return rate

    return way


async def test_ways_are_taken_in_turn_after_a_warm_up_that_does_not_count() -> None:
    calls: list[float] = []
    ways = {"ours": steady(9.0, calls), "bare": steady(10.0, calls)}

    ours, bare = await in_turn(ways, lines(0.8), ROUNDS, Effort(), warmup_rounds=1)

    assert calls == [9.0, 10.0] * (1 + ROUNDS)
    assert (ours.value, bare.value, bare.verdict) == (9.0, 10.0, Verdict.OK)
    assert bare.ratio is not None
    assert bare.ratio.median == 0.9


async def test_rounds_are_taken_again_while_a_limit_cannot_be_judged() -> None:
    turns = count()
    calls: list[float] = []

    async def uneven() -> float:
        return 6.0 + 4.0 * (next(turns) % 2)

    ways = {"ours": uneven, "bare": steady(10.0, calls)}
    [_, bare] = await in_turn(ways, lines(0.7), ROUNDS, Effort())

    assert bare.verdict is Verdict.NOISY
    assert len(calls) == LOOKS_MAX * ROUNDS


async def test_a_quick_run_takes_few_rounds_and_no_second_look() -> None:
    calls: list[float] = []
    ways = {"ours": steady(9.0, []), "bare": steady(10.0, calls)}

    await in_turn(ways, lines(0.8), 60, Effort(quick=True))

    assert len(calls) == 10
    assert Effort(quick=True).rounds(1) == ROUNDS_MIN
