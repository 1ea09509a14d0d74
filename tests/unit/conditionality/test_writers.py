"""A writer speaks for the schools, areas and months of its terms, and for nothing else."""

from __future__ import annotations

import pytest

from services.conditionality.domain.writers import Withheld, Writer, WriterTerm, areas_for

TOPIC, OTHER = "pkh.inbound.education-attendance.v1", "pkh.inbound.health-visit.v1"
WRITER = Writer(
    "dapodik",
    TOPIC,
    (
        WriterTerm("2023-01", "2023-06", ("61", "62"), ("301",)),
        WriterTerm("2023-04", "", ("61",), ("301", "40000001")),
    ),
)
SCHOOL = "30141147"


def test_it_speaks_in_the_areas_of_its_term() -> None:
    assert areas_for(WRITER, TOPIC, SCHOOL, ["2023-01"]) == ("61", "62")
    assert areas_for(WRITER, TOPIC, "40000001", ["2023-04"]) == ("61",)


def test_a_message_of_several_months_needs_an_area_in_each_of_them() -> None:
    assert areas_for(WRITER, TOPIC, SCHOOL, ["2023-06", "2023-07"]) == ("61",)


@pytest.mark.parametrize(
    ("writer", "topic", "reporter", "months", "why"),
    [
        (None, TOPIC, SCHOOL, ["2023-01"], Withheld.NOT_REGISTERED),
        (WRITER, OTHER, SCHOOL, ["2023-01"], Withheld.NOT_REGISTERED),
        (WRITER, TOPIC, SCHOOL, ["2022-12"], Withheld.NOT_REGISTERED),
        (WRITER, TOPIC, SCHOOL, ["2022-12", "2023-01"], Withheld.NOT_REGISTERED),
        (WRITER, TOPIC, "60141147", ["2023-01"], Withheld.REPORTER_NOT_YOURS),
        (WRITER, TOPIC, "40000001", ["2023-01"], Withheld.REPORTER_NOT_YOURS),
        (WRITER, TOPIC, "40000002", ["2023-07"], Withheld.REPORTER_NOT_YOURS),
    ],
)
def test_for_anything_else_it_is_not_heard(
    writer: Writer | None, topic: str, reporter: str, months: list[str], why: Withheld
) -> None:
    assert areas_for(writer, topic, reporter, months) is why
