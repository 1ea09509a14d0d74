"""An explanation rests on what was known at that closing, and on nothing that came later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.projection.explanation.answer import Fact
from services.projection.explanation.facts import (
    FamilyMoved,
    MemberBorn,
    MemberDied,
    PayeeChanged,
    PregnancyReported,
    SchoolChanged,
)
from services.projection.explanation.messages import (
    CorrectionApproved,
    CorrectionProposed,
    Counted,
    Duty,
    Evidence,
    Excused,
)
from tests.unit.projection.kit import (
    ANNOUNCED,
    CUT,
    FAMILY,
    INSTRUCTED,
    JUDGING,
    MOTHER,
    PAPERS,
    REGION,
    REGISTERED,
    TAHAP,
    TODDLER,
    card,
    conditionality,
    credited,
    cycle,
    day,
    designated,
    entitled,
    failed,
    member,
    registry,
    step,
    steps,
    why,
)

BY_CLOSING, AFTER_CLOSING = day("2023-03-31"), day("2023-04-01")


def facts(explanation: Any, kind: str) -> list[Fact]:
    return [fact for each in steps(explanation, kind) for fact in each.facts]


# -- Horizon --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "position", "counts"),
    [
        (BY_CLOSING, CUT, True),
        (AFTER_CLOSING, CUT, False),
        (BY_CLOSING, CUT + 1, False),
    ],
    ids=["by the closing", "reported a day late", "stored behind the cut"],
)
def test_a_fact_is_known_that_was_reported_by_the_closing_and_stored_by_the_cut(
    reported: Any, position: int, counts: bool
) -> None:
    moved = FamilyMoved(FAMILY, day("2023-02-01"), reported, "61.04.11.2017")

    explanation = why("PAID", registry(position, moved), cycle(), entitled())

    [region] = facts(explanation, "KNOWN")
    assert region.value == ("61.04.11.2017" if counts else REGION)
    assert (region.effective_on is not None) == counts


def test_a_fact_that_is_true_from_a_later_day_does_not_apply_yet() -> None:
    moved = FamilyMoved(FAMILY, day("2023-04-01"), day("2023-03-20"), "61.04.11.2017")

    explanation = why("PAID", registry(50, moved), cycle(), entitled())

    assert facts(explanation, "KNOWN")[0].value == REGION


def test_the_horizon_is_told_with_its_date_and_position() -> None:
    explanation = why("PAID", cycle(), entitled())

    assert (explanation.known.closing_date, explanation.known.cut) == (BY_CLOSING, CUT)
    assert "Known by 31 March 2023" in step(explanation, "KNOWN").text.en
    assert "3 living members" in step(explanation, "KNOWN").text.en


def test_of_two_changes_the_one_that_is_true_later_applies_whenever_it_was_reported() -> None:
    late = SchoolChanged(FAMILY, 2, day("2023-01-10"), day("2023-03-01"), "SMP")
    early = SchoolChanged(FAMILY, 2, day("2023-02-10"), day("2023-02-11"), "SMA")
    changes = (registry(70, late), registry(60, early))

    explanation = why("PAID", *changes, cycle(), entitled(Counted(2, "SMA", 500_000)))

    assert facts(explanation, "COUNTED")[0].value == "SMA"


# -- Who counts, and the sum ----------------------------------------------------------------------


def test_each_member_who_counts_is_named_with_amount_and_clauses() -> None:
    explanation = why("PAID", cycle(), entitled())

    pupil, toddler = steps(explanation, "COUNTED")
    assert pupil.text.en == "Member 2 (born 2010-2019) counts as pupil of SD (SD): Rp 225,000."
    assert toddler.text.id == (
        "Anggota 3 (lahir 2020-2029) dihitung sebagai anak usia dini (EARLY_CHILD): Rp750.000."
    )
    assert [clause.id for clause in toddler.clauses] == [
        "category.EARLY_CHILD",
        "benefit.EARLY_CHILD",
    ]
    assert [source.title for source in toddler.clauses[0].sources] == ["Komponen 2021"]
    assert [source.title for source in toddler.clauses[1].sources] == ["Indeks bantuan 2021"]


def test_the_arithmetic_is_written_out_and_sums_to_the_amount() -> None:
    explanation = why("PAID", cycle(), entitled())

    assert step(explanation, "SUM").text.en.startswith("Rp 225,000 + Rp 750,000 = Rp 975,000,")
    assert (
        sum(each.amount or 0 for each in steps(explanation, "COUNTED"))
        == explanation.amount
        == 975_000
    )


def test_what_no_member_accounts_for_is_the_familys_own_part() -> None:
    explanation = why("PAID", cycle(), entitled(Counted(2, "SD", 225_000), amount=362_500))

    assert step(explanation, "FAMILY_PART").amount == 137_500
    assert "Rp 225,000 + Rp 137,500 = Rp 362,500" in step(explanation, "SUM").text.en


@pytest.mark.parametrize(("pregnant", "shown"), [(True, ["Y"]), (False, [])])
def test_of_an_expectant_mother_it_is_shown_that_she_expects_a_child_and_no_day(
    pregnant: bool, shown: list[str]
) -> None:
    expecting = PregnancyReported(FAMILY, 1, BY_CLOSING, BY_CLOSING, pregnant)

    explanation = why(
        "PAID", registry(50, expecting), cycle(), entitled(Counted(1, "PREGNANT", 750_000))
    )

    assert [fact.value for fact in facts(explanation, "COUNTED")] == shown


def test_a_disabled_member_counts_by_that_fact() -> None:
    family = (REGISTERED, card(MOTHER, member(2, "2000-2009", severe_disability=True)))

    explanation = why(
        "PAID", cycle(), entitled(Counted(2, "SEVERE_DISABILITY", 600_000)), family=family
    )

    assert [fact.name for fact in facts(explanation, "COUNTED")] == ["severe_disability"]


def test_a_child_born_later_has_the_dates_of_its_report() -> None:
    born = MemberBorn(FAMILY, 4, day("2023-02-20"), "2020-2029")

    explanation = why(
        "PAID", registry(50, born), cycle(), entitled(Counted(4, "EARLY_CHILD", 750_000))
    )

    [birth] = facts(explanation, "COUNTED")
    assert (birth.member, birth.reported_on) == (4, day("2023-02-20"))


# -- The payee ------------------------------------------------------------------------------------


def test_the_payee_is_the_one_of_the_latest_known_change() -> None:
    family = (REGISTERED, card(MOTHER, member(2, "1980-1989"), TODDLER), designated())
    changed = registry(50, PayeeChanged(FAMILY, day("2023-02-01"), day("2023-02-02"), 2))

    explanation = why(
        "PAID", changed, cycle(), entitled(Counted(3, "EARLY_CHILD", 1)), family=family
    )

    assert step(explanation, "PAYEE").text.en.startswith("Member 2 (born 1980-1989) receives")


def test_a_payee_whose_death_was_not_known_is_paid_and_no_death_is_shown() -> None:
    died = MemberDied(FAMILY, 1, day("2023-03-01"), AFTER_CLOSING)

    explanation = why("PAID", registry(50, died), cycle(), entitled())

    assert [fact.name for fact in step(explanation, "PAYEE").facts] == ["payee", "born"]


def test_a_payee_whose_death_was_known_is_why_nothing_was_paid() -> None:
    died = MemberDied(FAMILY, 1, day("2023-03-01"), BY_CLOSING)

    explanation = why("NO_VALID_PAYEE", registry(50, died), cycle(), entitled(payee_valid=False))

    assert "The payee (member 1) had died" in step(explanation, "PAYEE").text.en
    assert [fact.name for fact in step(explanation, "PAYEE").facts] == [
        "payee",
        "born",
        "died",
    ]


# -- Duties ---------------------------------------------------------------------------------------


def test_a_duty_of_a_month_rests_on_the_school_of_that_months_end() -> None:
    moved_up = SchoolChanged(FAMILY, 2, day("2023-03-10"), day("2023-03-11"), "SMP")

    explanation = why("BLOCKED", registry(50, moved_up), *failed(), entitled())

    [level] = [fact for fact in facts(explanation, "DUTY_FAILED") if fact.name == "school_level"]
    assert level.value == "SD"


@pytest.mark.parametrize(
    ("days", "share"),
    [((20, 3, 1, 0), "16 of 20 days"), ((13, 2, 0, 5), "11 of 13 days"), ((1, 1, 0, 0), "0 of 1")],
)
def test_a_share_is_whole_and_never_rounded_up_to_the_threshold(
    days: tuple[int, int, int, int], share: str
) -> None:
    away = Duty(2, "SD", "2023-02", "FAILED", "ATTENDANCE_BELOW_THRESHOLD")
    evidence = Evidence(2, "SD", "2023-02", None, (), *days)

    explanation = why("BLOCKED", cycle("FAILED", away, evidence=(evidence,)), entitled())

    sentence = step(explanation, "DUTY_FAILED").text.en
    assert share in sentence
    assert "85 %, below 85 %" not in sentence


def test_a_missed_visit_is_told_with_its_service_and_month() -> None:
    missed = Duty(3, "EARLY_CHILD", "2023-02", "FAILED", "NOT_ATTENDED")
    evidence = Evidence(3, "EARLY_CHILD", "2023-02", "WEIGHING", ("2023-02",), 0, 0, 0, 0)

    explanation = why("BLOCKED", cycle("FAILED", missed, evidence=(evidence,)), entitled())

    duty = step(explanation, "DUTY_FAILED")
    assert duty.text.en == "Member 3 did not come to weighing (WEIGHING) in February 2023."
    assert duty.clauses[0].text.en == "Attends weighing (WEIGHING) in every month."


def test_a_failure_of_the_time_before_evidence_was_told_is_still_named() -> None:
    away = Duty(2, "SD", "2023-02", "FAILED", "ATTENDANCE_BELOW_THRESHOLD")

    explanation = why("BLOCKED", cycle("FAILED", away), entitled())

    assert "ATTENDANCE_BELOW_THRESHOLD" in step(explanation, "DUTY_FAILED").text.en


def test_what_nobody_reported_is_told_in_one_step() -> None:
    unseen = [Duty(3, "EARLY_CHILD", f"2023-0{n}", "UNVERIFIED", "NO_RECORD") for n in (1, 2)]

    explanation = why("PAID", cycle("UNVERIFIED", *unseen), entitled())

    assert "could not be verified" in step(explanation, "COMMITMENT").text.en
    assert len(step(explanation, "DUTY_UNVERIFIED").facts) == 2


def test_a_duty_that_is_excused_is_told_with_the_exception_and_its_reason() -> None:
    flood = [Excused(2, "SD", f"2023-0{n}", "e-1", "DISASTER") for n in (1, 2)]
    away = replace(flood[0], member=3, exception="e-2", reason="NO_FACILITY")
    judged = cycle("UNVERIFIED", counter=1)
    body = replace(judged.body, duties=(), excused=(*flood, away))

    explanation = why("PAID", replace(judged, body=body), entitled())

    first, second = steps(explanation, "DUTY_EXCUSED")
    assert "Exception e-1 (disaster (DISASTER))" in first.text.en
    assert "bencana" in first.text.id
    assert [fact.value for fact in first.facts] == ["DISASTER", "DISASTER"]
    assert "e-2" in second.text.en
    assert "neither failed" in step(explanation, "COMMITMENT").text.en


# -- Corrections ----------------------------------------------------------------------------------


def test_a_cycle_is_told_as_it_was_judged_and_its_correction_as_what_came_later() -> None:
    proposed = conditionality(40, CorrectionProposed(TAHAP, FAMILY, 1, "COMPLIANT"))
    approved = conditionality(41, CorrectionApproved(TAHAP, FAMILY, 1, "surya"))
    corrected = cycle("COMPLIANT", revision=2, position=42)

    explanation = why(
        "BLOCKED",
        *failed(),
        entitled(),
        INSTRUCTED,
        credited("HELD"),
        proposed,
        approved,
        corrected,
    )

    assert "(FAILED)" in step(explanation, "COMMITMENT").text.en
    [offered, taken] = steps(explanation, "LATER")
    assert "would make the cycle COMPLIANT" in offered.text.en
    assert taken.text.en == "surya approved correction 1: the cycle is COMPLIANT since."
    assert [each.position for each in taken.references] == [41, 42]


def test_a_revision_before_the_freeze_takes_the_place_of_the_one_before() -> None:
    explanation = why(
        "PAID", *failed()[:1], cycle("COMPLIANT", revision=2, position=15), entitled()
    )

    assert "(COMPLIANT)" in step(explanation, "COMMITMENT").text.en


# -- What is not there ----------------------------------------------------------------------------


def test_a_tahap_of_the_time_before_terms_were_told_is_explained_without_clauses() -> None:
    bare = ANNOUNCED.body
    old = type(ANNOUNCED)("payments", 1, type(bare)(**_without_benefit(bare)))

    explanation = why("PAID", cycle(), entitled(), of_tahap=(old, JUDGING, *PAPERS))

    assert [clause for each in steps(explanation, "COUNTED") for clause in each.clauses] == []
    assert explanation.known.cut is None


def _without_benefit(announced: Any) -> dict[str, Any]:
    names = ("tahap", "months", "closing_date", "account_check_date", "credit_date", "policies")
    return {name: getattr(announced, name) for name in names}
