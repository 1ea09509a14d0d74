"""An appeal in the why of its tahap: by its case's id, as it began and as it ended."""

from __future__ import annotations

from typing import Any

import pytest

from services.projection.explanation.messages import (
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
)
from tests.unit.projection.kit import (
    FAMILY,
    TAHAP,
    conditionality,
    entitled,
    failed,
    steps,
    why,
)

CASE = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90"
APPEAL = TAHAP, FAMILY, CASE, "HOLD"


def sentences_of(*bodies: Any) -> list[str]:
    """The English sentences on appeals of a family that failed and was credited."""
    appeals = [conditionality(30 + n, body) for n, body in enumerate(bodies)]
    answer = why("BLOCKED", *failed(), entitled(), *appeals)
    return [step.text.en for step in steps(answer, "APPEAL")]


@pytest.mark.parametrize("outcome", ["UPHELD", "REFUSED", "REJECTED", "WITHDRAWN"])
def test_an_appeal_is_explained_with_its_case_from_its_beginning_to_its_end(outcome: str) -> None:
    sentences = sentences_of(
        AppealPaused(*APPEAL), AppealUpheld(*APPEAL), AppealEnded(*APPEAL, outcome)
    )

    assert len(sentences) == 3
    assert all(CASE in sentence for sentence in sentences)
    assert "two people decide the cycle again" in sentences[1]


def test_an_appeal_that_nothing_waits_for_says_why() -> None:
    [sentence] = sentences_of(AppealNotPaused(*APPEAL, "NOT_BY_POLICY"))

    assert CASE in sentence
    assert "NOT_BY_POLICY" in sentence


@pytest.mark.parametrize("reason", ["OUTSIDE_REGIONS", "ANOTHER_IS_OPEN", "APPEALED_TOO_OFTEN"])
def test_an_appeal_that_is_refused_and_a_decision_that_is_none_say_so(reason: str) -> None:
    appeal, decision = sentences_of(
        AppealNotPaused(*APPEAL, reason), AppealDecisionRefused(*APPEAL, reason)
    )

    assert "that is refused" in appeal
    assert "is none" in decision
    assert reason in decision


def test_an_appeal_of_another_tahap_is_explained_there() -> None:
    assert sentences_of(AppealPaused("2031-1", FAMILY, CASE, "HOLD")) == []
