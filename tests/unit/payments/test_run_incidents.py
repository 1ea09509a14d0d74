"""A partner's word that cannot be its own stops its part of the run until a person has judged."""

from __future__ import annotations

from dataclasses import replace

from services.payments.domain.run.messages import (
    CancelRun,
    JudgeIncident,
    PartnerIncidentFound,
    PartnerIncidentJudged,
    ReportIncident,
)
from services.payments.domain.shared.errors import NoIncident, StepNotReached
from tests.unit.payments.kit import TAHAP
from tests.unit.payments.run_steps import BRI_RESULT, ORDERED, SENT, after

FOUND = ReportIncident("BNI", "another file")
JUDGED = JudgeIncident("BNI", "supervisor-1", "The bank has cleared its books")


def test_an_incident_is_found_once() -> None:
    after(*SENT).when(FOUND).then(PartnerIncidentFound(TAHAP, "REGULAR", "BNI", "another file"))
    after(*SENT, FOUND).when(FOUND).then_nothing()


def test_another_partner_s_answer_is_taken_all_the_same() -> None:
    assert after(*SENT, FOUND).when(BRI_RESULT).events


def test_a_person_judges_the_incident_of_one_partner() -> None:
    after(*SENT, FOUND, ReportIncident("BRI", "no signature")).when(JUDGED).then(
        PartnerIncidentJudged(
            TAHAP, "REGULAR", "BNI", "supervisor-1", "The bank has cleared its books"
        )
    )


def test_what_was_judged_may_be_found_again() -> None:
    assert after(*SENT, FOUND, JUDGED).when(FOUND).events


def test_the_treasury_s_word_about_a_cancelled_order_is_an_incident_too() -> None:
    word, judged = replace(FOUND, partner="TREASURY"), replace(JUDGED, partner="TREASURY")
    after(*ORDERED, CancelRun()).when(word).then(
        PartnerIncidentFound(TAHAP, "REGULAR", "TREASURY", "another file")
    )
    assert after(*ORDERED, CancelRun(), word).when(judged).events
    after(CancelRun()).when(word).then_refused(StepNotReached)


def test_nobody_judges_what_was_not_found() -> None:
    after(*SENT).when(JUDGED).then_refused(NoIncident)
    after(*SENT, FOUND, JUDGED).when(JUDGED).then_refused(NoIncident)
    after().when(FOUND).then_refused(StepNotReached)
