"""Access to services for the programme's indicators: one member reached is enough."""

from __future__ import annotations

import pytest

from services.conditionality.domain.access import Access, access_of
from services.conditionality.domain.duties import ListedMember
from services.conditionality.domain.person import Attendance, Person
from tests.unit.conditionality.kit import BAD, GOOD, MONTHS, POLICY, member

NO_TEACHING = Attendance(0, absent=0, permitted=0, sick=0)


def reached(*people: tuple[ListedMember, Person]) -> tuple[Access, ...]:
    facts = {listed.token: person for listed, person in people}
    return access_of([listed for listed, _ in people], MONTHS, facts, POLICY)


def pupil(*records: Attendance) -> tuple[ListedMember, Person]:
    return member("SD"), Person(school=dict(zip(MONTHS, records, strict=False)))


@pytest.mark.parametrize(
    ("records", "was"),
    [((BAD, BAD, GOOD), True), ((BAD,), False), ((), False), ((NO_TEACHING,), False)],
)
def test_one_month_at_school_is_enough(records: tuple[Attendance, ...], was: bool) -> None:
    assert reached(pupil(*records)) == (Access("EDUCATION", was),)


@pytest.mark.parametrize(
    ("category", "service"), [("EARLY_CHILD", "WEIGHING"), ("PREGNANT", "MATERNAL_CHECK")]
)
def test_one_visit_of_the_categorys_own_service_is_enough(category: str, service: str) -> None:
    seen, elsewhere = ({name: {MONTHS[1]: True}} for name in (service, "HOME_VISIT"))
    missed = {service: {MONTHS[0]: False}}

    assert reached((member(category), Person(visits=seen))) == (Access("HEALTH", True),)
    assert reached((member(category), Person(visits=elsewhere))) == (Access("HEALTH", False),)
    assert reached((member(category), Person(visits=missed))) == (Access("HEALTH", False),)


def test_the_category_at_the_closing_counts_and_not_that_of_a_month() -> None:
    born_then = ListedMember(1, "a", (("EARLY_CHILD",),) * 3, ())

    assert reached((born_then, Person(visits={"WEIGHING": {MONTHS[0]: True}}))) == ()


@pytest.mark.parametrize("category", ["ELDERLY", "SEVERE_DISABILITY"])
def test_who_is_seen_at_home_counts_for_neither(category: str) -> None:
    assert reached((member(category), Person())) == ()
