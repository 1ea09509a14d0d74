import subprocess
import sys

import pytest

from benchmarks.judge import CORES_BUSY_MAX, Neighbours, Ratio, Verdict, own_core_s
from benchmarks.report import Figure


def steady(ratio: float, rounds: int = 9) -> Ratio:
    return Ratio.of([ratio * (100 + n % 2) for n in range(rounds)], [100.0] * rounds)


def test_a_disturbance_that_meets_both_of_a_pair_is_no_spread() -> None:
    speeds = [100.0, 40.0, 250.0, 90.0, 10.0]

    ratio = Ratio.of([0.9 * speed for speed in speeds], speeds)

    assert (ratio.low, ratio.median, ratio.high) == pytest.approx((0.9, 0.9, 0.9))


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(steady(0.9), Verdict.OK), (steady(0.5), Verdict.MISSED), (steady(0.6), Verdict.NOISY)],
)
def test_a_steady_ratio_is_judged(ratio: Ratio, verdict: Verdict) -> None:
    assert ratio.judged(least=0.6) is verdict


@pytest.mark.parametrize("pairs", [[0.3, 0.5, 0.7, 0.9, 1.1], [0.9]], ids=["wide", "alone"])
def test_a_ratio_whose_spread_reaches_the_limit_is_not_judged(pairs: list[float]) -> None:
    assert Ratio.of(pairs, [1.0] * len(pairs)).judged(least=0.6) is Verdict.NOISY


def test_more_pairs_make_a_judgement_of_the_same_spread() -> None:
    pairs = [0.6, 0.7, 0.8, 0.9]

    few, many = (Ratio.of(pairs * times, [1.0] * len(pairs) * times) for times in (1, 20))

    assert few.judged(least=0.7) is Verdict.NOISY
    assert many.judged(least=0.7) is Verdict.OK


def test_what_was_missed_while_others_worked_is_not_held_against_us() -> None:
    missed = Figure("append", "events/s", 1.0, steady(0.5), ratio_min=0.6)
    disturbed = Figure("append", "events/s", 1.0, steady(0.5), ratio_min=0.6, disturbed=True)
    held = Figure("append", "events/s", 1.0, steady(0.9), ratio_min=0.6, disturbed=True)

    verdicts = [figure.verdict for figure in (missed, disturbed, held)]
    assert verdicts == [Verdict.MISSED, Verdict.NOISY, Verdict.OK]


def test_memory_is_judged_whatever_others_do() -> None:
    figure = Figure("memory", "MB", 301.0, most=300, disturbed=True)

    assert figure.verdict is Verdict.MISSED


def test_a_child_s_work_is_ours_and_not_a_neighbour_s() -> None:
    neighbours, before = Neighbours(), own_core_s()
    work = "n = 0\nwhile n < 3_000_000: n += 1"

    subprocess.run([sys.executable, "-c", work], check=True)

    assert own_core_s() > before
    assert neighbours.cores() >= 0.0
    assert CORES_BUSY_MAX < 1
