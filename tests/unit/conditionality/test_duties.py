from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from services.conditionality.domain.duties import (
    Duty,
    Evidence,
    FactsMissing,
    FurtherDuty,
    LineDoesNotFit,
    ListedMember,
    UnknownCategory,
    VisitMonthly,
    VisitWhenDue,
    attendance,
    duties_of,
    evidence_of,
    result_of,
    tokens_of,
    with_payee,
)
from services.conditionality.domain.person import Attendance, Person
from tests.unit.conditionality.kit import BAD, GOOD, MONTHS, POLICY, member, pupil_at_school

PASSED = ("PASSED", None)
TOO_FEW_DAYS = ("FAILED", "ATTENDANCE_BELOW_THRESHOLD")
NOT_ATTENDED = ("FAILED", "NOT_ATTENDED")
NO_RECORD = ("UNVERIFIED", "NO_RECORD")


def findings(listed: ListedMember, person: Person) -> list[tuple[str | None, tuple[str, object]]]:
    duties = duties_of([listed], MONTHS, {listed.token: person}, POLICY)
    return [(duty.month, (duty.outcome, duty.reason)) for duty in duties]


# -- At school ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["SD", "SMP", "SMA"])
def test_a_pupil_owes_attendance_in_every_month(level: str) -> None:
    person = Person(school={"2023-01": GOOD, "2023-02": BAD})

    assert findings(member(level), person) == [
        ("2023-01", PASSED),
        ("2023-02", TOO_FEW_DAYS),
        ("2023-03", NO_RECORD),
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (Attendance(20, absent=3, permitted=0, sick=0), PASSED),  # 17 / 20 = 85 % exactly
        (Attendance(20, absent=4, permitted=0, sick=0), TOO_FEW_DAYS),  # 16 / 20 = 80 %
        (Attendance(20, absent=2, permitted=1, sick=0), PASSED),  # leave counts: 17 / 20
        (Attendance(20, absent=2, permitted=2, sick=0), TOO_FEW_DAYS),  # 16 / 20
        (Attendance(23, absent=2, permitted=1, sick=2), PASSED),  # 20 / 23 = 86.96 %
        (Attendance(20, absent=0, permitted=0, sick=20), PASSED),  # sick all month: 20 / 20
        (Attendance(13, absent=2, permitted=0, sick=0), TOO_FEW_DAYS),  # 11 / 13 = 84.6 %
        (Attendance(1, absent=1, permitted=0, sick=0), TOO_FEW_DAYS),  # 0 / 1
    ],
)
def test_the_share_of_days_decides_a_month(record: Attendance, expected: object) -> None:
    assert attendance(record, 85) == expected


@for_any(
    days=st.integers(1, 31),
    away=st.lists(st.integers(0, 31), min_size=3, max_size=3),
    percent=st.integers(0, 100),
)
def test_the_threshold_is_met_exactly_when_the_fraction_says_so(
    days: int, away: list[int], percent: int
) -> None:
    absent, permitted, sick = away
    share = Fraction(days - absent - permitted, days)

    finding = attendance(Attendance(days, absent, permitted, sick), percent)

    assert (finding == PASSED) == (share >= Fraction(percent, 100))


def test_a_month_without_teaching_owes_nothing() -> None:
    holiday = Attendance(effective_days=0, absent=0, permitted=0, sick=0)
    person = Person(school={"2023-01": GOOD, "2023-02": holiday, "2023-03": GOOD})

    assert findings(member("SD"), person) == [("2023-01", PASSED), ("2023-03", PASSED)]


def test_months_outside_the_cycle_do_not_count() -> None:
    person = Person(school={"2022-12": BAD, **dict.fromkeys(MONTHS, GOOD), "2023-04": BAD})

    assert findings(member("SMA"), person) == [(month, PASSED) for month in MONTHS]


# -- At the health facility ------------------------------------------------------------------------


def test_an_early_child_owes_weighing_in_every_month() -> None:
    person = Person(visits={"WEIGHING": {"2023-01": True, "2023-02": False}})

    assert findings(member("EARLY_CHILD"), person) == [
        ("2023-01", PASSED),
        ("2023-02", NOT_ATTENDED),
        ("2023-03", NO_RECORD),
    ]


@pytest.mark.parametrize(
    ("category", "service"),
    [
        ("PREGNANT", "MATERNAL_CHECK"),
        ("SEVERE_DISABILITY", "HOME_VISIT"),
        ("ELDERLY", "ELDERLY_CHECK"),
    ],
)
@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ({"2023-03": True}, PASSED),
        ({"2023-01": False, "2023-02": True, "2023-03": False}, PASSED),
        ({"2023-02": False}, NOT_ATTENDED),
        ({"2023-01": False, "2023-02": False, "2023-03": False}, NOT_ATTENDED),
        ({}, NO_RECORD),
        ({"2022-12": True, "2023-04": True}, NO_RECORD),
    ],
)
def test_one_attended_visit_in_the_cycle_is_enough(
    category: str, service: str, visits: dict[str, bool], expected: object
) -> None:
    person = Person(visits={service: visits})

    assert findings(member(category), person) == [(None, expected)]


def test_a_visit_to_another_service_does_not_count() -> None:
    person = Person(visits={"WEIGHING": {"2023-01": True}})

    assert findings(member("PREGNANT"), person) == [(None, NO_RECORD)]


# -- Who owes what --------------------------------------------------------------------------------


def test_a_member_has_every_duty_of_every_category_held() -> None:
    person = Person(school=dict.fromkeys(MONTHS, GOOD), visits={"HOME_VISIT": {"2023-02": False}})

    assert findings(member("SEVERE_DISABILITY", "SD"), person) == [
        ("2023-01", PASSED),
        ("2023-02", PASSED),
        ("2023-03", PASSED),
        (None, NOT_ATTENDED),
    ]


def test_the_duty_of_a_month_stands_though_the_category_was_lost_before_the_closing() -> None:
    left_school = ListedMember(1, "t1", (("SMA",), ("SMA",), ()), ())
    person = Person(school={"2023-01": BAD})

    assert findings(left_school, person) == [("2023-01", TOO_FEW_DAYS), ("2023-02", NO_RECORD)]


def test_a_duty_of_the_cycle_falls_on_who_holds_the_category_at_the_closing() -> None:
    no_longer = ListedMember(1, "t1", (("PREGNANT",), ("PREGNANT",), ()), ())
    since_today = ListedMember(1, "t1", ((), (), ()), ("PREGNANT",))
    person = Person(visits={"MATERNAL_CHECK": {"2023-01": False}})

    assert findings(no_longer, person) == []
    assert findings(since_today, person) == [(None, NOT_ATTENDED)]


def test_a_baby_owes_weighing_from_the_month_of_birth() -> None:
    born_in_february = ListedMember(
        3, "t3", ((), ("EARLY_CHILD",), ("EARLY_CHILD",)), ("EARLY_CHILD",)
    )
    person = Person(visits={"WEIGHING": {"2023-02": True, "2023-03": True}})

    assert findings(born_in_february, person) == [("2023-02", PASSED), ("2023-03", PASSED)]


def test_duties_stand_member_by_member_with_the_category_that_owes() -> None:
    members = [member("SD", ordinal=4, token="t4"), member("ELDERLY", ordinal=2, token="t2")]
    facts = {**pupil_at_school(None), "t4": Person(), "t2": Person()}

    assert duties_of(members, MONTHS, facts, POLICY) == (
        Duty(4, "SD", "2023-01", "UNVERIFIED", "NO_RECORD"),
        Duty(4, "SD", "2023-02", "UNVERIFIED", "NO_RECORD"),
        Duty(4, "SD", "2023-03", "UNVERIFIED", "NO_RECORD"),
        Duty(2, "ELDERLY", None, "UNVERIFIED", "NO_RECORD"),
    )


# -- The family -----------------------------------------------------------------------------------


def _duty(outcome: str) -> Duty:
    return {
        "passed": Duty(1, "SD", "2023-01", "PASSED", None),
        "failed": Duty(1, "SD", "2023-02", "FAILED", "ATTENDANCE_BELOW_THRESHOLD"),
        "unverified": Duty(2, "ELDERLY", None, "UNVERIFIED", "NO_RECORD"),
    }[outcome]


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        ([], "COMPLIANT"),
        (["passed"], "COMPLIANT"),
        (["passed", "unverified"], "UNVERIFIED"),
        (["unverified", "failed", "passed"], "FAILED"),
        (["failed"], "FAILED"),
    ],
)
def test_one_failure_fails_the_family_and_nothing_owed_is_compliant(
    outcomes: list[str], result: str
) -> None:
    assert result_of(_duty(outcome) for outcome in outcomes) == result


def test_an_evaluation_needs_the_facts_of_each_listed_person_once() -> None:
    members = [member("SD", token="b"), member("SD", token="a"), member("SMP", token="b")]

    assert tokens_of(members) == ("a", "b")


# -- Refused --------------------------------------------------------------------------------------


def test_a_forgotten_load_is_not_taken_for_a_missing_record() -> None:
    with pytest.raises(FactsMissing):
        duties_of([member("SD")], MONTHS, {}, POLICY)


def test_a_line_must_fit_the_months_of_the_tahap() -> None:
    with pytest.raises(LineDoesNotFit):
        duties_of([member("SD")], MONTHS[:2], {"t1": Person()}, POLICY)


def test_a_category_that_the_rule_set_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownCategory):
        duties_of([member("HR_VICTIM")], MONTHS, {"t1": Person()}, POLICY)


# -- What stands behind a failure -----------------------------------------------------------------


def evidence(listed: ListedMember, person: Person) -> tuple[Evidence, ...]:
    facts = {listed.token: person}
    owed = duties_of([listed], MONTHS, facts, POLICY)
    return evidence_of(owed, [listed], MONTHS, facts, POLICY)


def test_a_failed_month_at_school_is_told_with_its_days() -> None:
    person = Person(school={"2023-01": GOOD, "2023-02": Attendance(21, 3, 1, 2)})

    assert evidence(member("SD"), person) == (
        Evidence(1, "SD", "2023-02", effective_days=21, absent=3, permitted=1, sick=2),
    )


def test_a_visit_that_was_missed_is_told_with_its_service_and_months() -> None:
    person = Person(
        visits={
            "WEIGHING": {"2023-01": True, "2023-02": False},
            "HOME_VISIT": {"2023-01": False, "2023-03": False},
        }
    )

    assert evidence(member("EARLY_CHILD", "SEVERE_DISABILITY"), person) == (
        Evidence(1, "EARLY_CHILD", "2023-02", "WEIGHING", ("2023-02",)),
        Evidence(1, "SEVERE_DISABILITY", None, "HOME_VISIT", ("2023-01", "2023-03")),
    )


def test_nothing_is_told_of_a_duty_that_did_not_fail() -> None:
    assert evidence(member("SD"), Person(school={"2023-01": GOOD})) == ()


# -- Duties beside a category's own ---------------------------------------------------------------

FURTHER = replace(
    POLICY,
    further={
        "IMMUNISATION": FurtherDuty("EARLY_CHILD", VisitWhenDue("IMMUNISATION")),
        "P2K2": FurtherDuty("PAYEE", VisitMonthly("P2K2")),
    },
)


def owed(listed: ListedMember, **visits: dict[str, bool]) -> dict[tuple[str, str | None], object]:
    facts = {listed.token: Person(visits=visits)}
    found = duties_of([listed], MONTHS, facts, FURTHER)
    return {(duty.duty, duty.month): (duty.outcome, duty.reason) for duty in found}


def test_what_was_due_is_owed_in_the_months_in_which_it_was() -> None:
    weighed = dict.fromkeys(MONTHS, True)
    came = {"2023-01": True, "2023-03": False}

    found = owed(member("EARLY_CHILD"), WEIGHING=weighed, IMMUNISATION=came)

    assert {key: outcome for key, outcome in found.items() if key[0] == "IMMUNISATION"} == {
        ("IMMUNISATION", "2023-01"): PASSED,
        ("IMMUNISATION", "2023-03"): NOT_ATTENDED,
    }
    assert [key for key in owed(member("SD")) if key[0] == "IMMUNISATION"] == []


def test_the_payee_owes_a_session_in_every_month_where_the_policy_asks_it() -> None:
    assert with_payee((member("SD"),), "f-1", MONTHS, POLICY) == (member("SD"),)
    assert with_payee((member("SD"),), "f-1", MONTHS, None) == (member("SD"),)

    payee, pupil = with_payee((member("SD"),), "f-1", MONTHS, FURTHER)

    assert (payee.member, payee.token, pupil) == (0, "f-1", member("SD"))
    assert owed(payee, P2K2={"2023-01": True, "2023-02": False}) == {
        ("P2K2", "2023-01"): PASSED,
        ("P2K2", "2023-02"): NOT_ATTENDED,
        ("P2K2", "2023-03"): NO_RECORD,
    }


def test_the_evidence_names_the_month_that_was_missed() -> None:
    [payee] = with_payee((), "f-1", MONTHS, FURTHER)
    facts = {"f-1": Person(visits={"P2K2": {"2023-02": False}})}
    duties = duties_of([payee], MONTHS, facts, FURTHER)

    [shown] = evidence_of(duties, [payee], MONTHS, facts, FURTHER)

    assert (shown.duty, shown.month, shown.service) == ("P2K2", "2023-02", "P2K2")
    assert result_of(duties) == "FAILED"
