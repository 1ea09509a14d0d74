from dataclasses import replace

from libs.events.domain.testing import given
from services.conditionality.domain.commitment import (
    CycleEvaluated,
    RepeatEvaluation,
    commitment,
)
from tests.unit.conditionality.kit import cycle, decided, history


def evaluation() -> CycleEvaluated:
    [first, _suspended] = history("fails")
    assert isinstance(first, CycleEvaluated)
    return first


def test_the_latest_evaluation_is_said_again_and_changes_nothing() -> None:
    before = given(commitment, *history("fails"))
    then = before.when(RepeatEvaluation(evaluation()))

    then.then(evaluation())
    assert then.state == commitment.fold(history("fails"))


def test_an_evaluation_that_was_revised_since_is_not_said_again() -> None:
    revised = decided(cycle("2023-1", "complies"), after=history("fails"))

    given(commitment, *history("fails"), *revised).when(
        RepeatEvaluation(evaluation())
    ).then_nothing()


def test_an_evaluation_of_a_cycle_that_is_unknown_is_not_said() -> None:
    other = replace(evaluation(), tahap="2023-2")

    given(commitment, *history("fails")).when(RepeatEvaluation(other)).then_nothing()
