import pytest

from libs.events.domain.testing import given
from services.conditionality.domain.person import (
    Attendance,
    InvalidRecord,
    Person,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    SchoolMonthsRecorded,
    Visit,
    VisitsRecorded,
    check_visit,
    months_touched,
    person,
)

JANUARY = SchoolMonth("2023-01", effective_days=22, absent=1, permitted=0, sick=2)
FEBRUARY = SchoolMonth("2023-02", effective_days=20, absent=0, permitted=1, sick=0)
WEIGHED = Visit("2023-01", "WEIGHING", attended=True)
MISSED = Visit("2023-02", "WEIGHING", attended=False)


def test_months_at_school_are_recorded() -> None:
    then = given(person).when(RecordSchoolMonths((JANUARY, FEBRUARY)))

    then.then(SchoolMonthsRecorded((JANUARY, FEBRUARY)))
    assert then.state == Person(
        school={"2023-01": Attendance(22, 1, 0, 2), "2023-02": Attendance(20, 0, 1, 0)}
    )


def test_visits_are_recorded() -> None:
    then = given(person).when(RecordVisits((WEIGHED, MISSED)))

    then.then(VisitsRecorded((WEIGHED, MISSED)))
    assert then.state == Person(visits={"WEIGHING": {"2023-01": True, "2023-02": False}})


def test_the_same_month_again_changes_nothing() -> None:
    given(person, SchoolMonthsRecorded((JANUARY,))).when(
        RecordSchoolMonths((JANUARY,))
    ).then_nothing()


def test_the_same_visit_again_changes_nothing() -> None:
    given(person, VisitsRecorded((WEIGHED, MISSED))).when(
        RecordVisits((MISSED, WEIGHED))
    ).then_nothing()


def test_only_changed_months_are_recorded_and_replace_the_earlier() -> None:
    corrected = FEBRUARY._replace(absent=5)

    then = given(person, SchoolMonthsRecorded((JANUARY, FEBRUARY))).when(
        RecordSchoolMonths((JANUARY, corrected))
    )

    then.then(SchoolMonthsRecorded((corrected,)))
    assert then.state.school["2023-02"] == Attendance(20, 5, 1, 0)


def test_only_changed_visits_are_recorded_and_replace_the_earlier() -> None:
    corrected = MISSED._replace(attended=True)

    then = given(person, VisitsRecorded((WEIGHED, MISSED))).when(RecordVisits((WEIGHED, corrected)))

    then.then(VisitsRecorded((corrected,)))
    assert then.state.visits == {"WEIGHING": {"2023-01": True, "2023-02": True}}


def test_the_last_of_two_records_of_a_month_counts() -> None:
    later = JANUARY._replace(absent=9)

    given(person).when(RecordSchoolMonths((JANUARY, later))).then(SchoolMonthsRecorded((later,)))


def test_the_last_of_two_records_of_a_visit_counts() -> None:
    later = WEIGHED._replace(attended=False)

    given(person).when(RecordVisits((WEIGHED, later))).then(VisitsRecorded((later,)))


def test_a_correction_and_its_taking_back_in_one_chunk_change_nothing() -> None:
    given(person, SchoolMonthsRecorded((JANUARY,))).when(
        RecordSchoolMonths((JANUARY._replace(absent=9), JANUARY))
    ).then_nothing()


def test_services_of_one_month_are_kept_apart() -> None:
    checked = Visit("2023-01", "MATERNAL_CHECK", attended=False)

    then = given(person, VisitsRecorded((WEIGHED,))).when(RecordVisits((checked,)))

    then.then(VisitsRecorded((checked,)))
    assert then.state.visits == {
        "WEIGHING": {"2023-01": True},
        "MATERNAL_CHECK": {"2023-01": False},
    }


def test_recording_leaves_the_state_before_it_as_it_was() -> None:
    before = given(person, VisitsRecorded((WEIGHED,)))

    before.when(RecordVisits((MISSED,)))

    assert before.state.visits == {"WEIGHING": {"2023-01": True}}


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (JANUARY._replace(effective_days=-1), "effective_days"),
        (JANUARY._replace(effective_days=32), "effective_days"),
        (JANUARY._replace(absent=-1), "absent"),
        (JANUARY._replace(permitted=-1), "permitted"),
        (JANUARY._replace(sick=-1), "sick"),
        (JANUARY._replace(absent=10, permitted=10, sick=3), "absent+permitted+sick"),
    ],
)
def test_an_impossible_number_is_refused_and_its_field_named(
    record: SchoolMonth, field: str
) -> None:
    refused = given(person).when(RecordSchoolMonths((FEBRUARY, record)))

    refused.then_refused(InvalidRecord)
    assert refused.refusal is not None
    assert refused.refusal.facts["field"] == field


def test_days_away_may_be_all_effective_days() -> None:
    record = SchoolMonth("2023-01", effective_days=3, absent=1, permitted=1, sick=1)

    given(person).when(RecordSchoolMonths((record,))).then(SchoolMonthsRecorded((record,)))


@pytest.mark.parametrize("month", ["2023-13", "2023-00", "2023-1", "23-01", "2023-01-05", ""])
def test_a_malformed_month_is_refused_without_repeating_it(month: str) -> None:
    for command in (
        RecordSchoolMonths((JANUARY._replace(month=month),)),
        RecordVisits((WEIGHED._replace(month=month),)),
    ):
        refused = given(person).when(command)

        refused.then_refused(InvalidRecord)
        assert refused.refusal is not None
        assert refused.refusal.facts == {"field": "month"}


def test_a_persons_number_in_the_column_of_the_service_does_not_reach_the_error() -> None:
    refused = given(person).when(RecordVisits((WEIGHED._replace(service="6104115608210427"),)))

    refused.then_refused(InvalidRecord)
    assert refused.refusal is not None
    assert refused.refusal.facts == {"field": "service", "month": "2023-01"}


def test_an_event_names_the_months_it_touches() -> None:
    assert months_touched(VisitsRecorded((WEIGHED, MISSED))) == {"2023-01", "2023-02"}
    assert months_touched(SchoolMonthsRecorded((JANUARY,))) == {"2023-01"}


def test_what_is_taken_back_leaves_nothing_known() -> None:
    back = Visit("2023-02", "P2K2", attended=None)
    came = Visit("2023-02", "P2K2", attended=True)

    then = given(person, VisitsRecorded((came,))).when(RecordVisits((back,)))

    then.then(VisitsRecorded((back,)))
    assert then.state == Person(visits={"P2K2": {}})
    given(person).when(RecordVisits((back,))).then()


def test_a_health_facility_does_not_report_the_groups_session() -> None:
    with pytest.raises(InvalidRecord):
        check_visit(Visit("2023-02", "P2K2", attended=True))
