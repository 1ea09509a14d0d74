"""A case: received once, and told to others under its own id."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from libs.events.domain.testing import given
from libs.events.store.model import Message
from services.complaints.contract import CASE, TOPIC
from services.complaints.domain.case import (
    Case,
    CaseReceived,
    CaseReceivedDifferently,
    ReceiveCase,
    case,
)

ID, FAMILY = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70", "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
DAYS = (date(2023, 3, 30), date(2023, 4, 6))
FACTS = (ID, "AMOUNT_WRONG", "WEB", "61.03.01.2026")
RECEIVE = ReceiveCase(*FACTS, "DISTRICT", *DAYS, False, FAMILY)
RECEIVED = CaseReceived(*FACTS, "DISTRICT", *DAYS, False, FAMILY)


def test_a_complaint_becomes_a_case() -> None:
    given(case).when(RECEIVE).then(RECEIVED)


def test_the_same_complaint_again_is_quiet() -> None:
    given(case, RECEIVED).when(RECEIVE).then_nothing()


def test_another_complaint_of_the_same_id_is_refused() -> None:
    given(case, RECEIVED).when(replace(RECEIVE, channel="SMS")).then_refused(
        CaseReceivedDifferently
    )


def test_a_case_is_told_under_its_own_id() -> None:
    assert CASE.publish(RECEIVED, Case(RECEIVED)) == Message(TOPIC, ID)
