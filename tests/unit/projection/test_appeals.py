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
    ArrearOwed,
    ReturnWaits,
)
from tests.unit.projection.kit import (
    FAMILY,
    PAYMENT,
    TAHAP,
    conditionality,
    entitled,
    failed,
    payments,
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


@pytest.mark.parametrize("tahap", [TAHAP, "2023-0"], ids=["that of the money", "that of its end"])
def test_money_that_stays_though_the_family_graduated_names_the_case_it_waits_for(
    tahap: str,
) -> None:
    waits = ReturnWaits(PAYMENT, tahap, FAMILY, "2023-2" if tahap == TAHAP else TAHAP, (CASE,))
    answer = why("BLOCKED", *failed(), entitled(), payments(90, waits))

    [sentence] = [step.text.en for step in steps(answer, "APPEAL")]
    assert CASE in sentence
    assert f"what is blocked of tahap {tahap} stays" in sentence


@pytest.mark.parametrize(("case", "named"), [(CASE, True), ("", False)])
def test_what_is_owed_since_a_correction_is_told_with_its_case_and_why_it_is_not_paid(
    case: str, named: bool
) -> None:
    owed = PAYMENT, TAHAP, FAMILY
    first = ArrearOwed(*owed, 60_000, 0, 2, case, "NO_RUN_PAYS_ARREARS")
    over = ArrearOwed(*owed, 0, 10, 3, "", "NO_RUN_PAYS_ARREARS")
    answer = why("PAID", *failed(), entitled(), payments(90, first), payments(91, over))

    arrears = [step for step in steps(answer, "LATER") if "owed" in step.text.en]
    assert [step.amount for step in arrears] == [60_000, 0]
    assert "60,000" in arrears[0].text.en
    assert (CASE in arrears[0].text.en) is named
    assert "NO_RUN_PAYS_ARREARS" in arrears[0].text.en
    assert "nothing of what was cut is owed any more" in arrears[1].text.en
