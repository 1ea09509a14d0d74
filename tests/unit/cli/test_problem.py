from typing import Any

import pytest

from cli.client.problem import problem_of, sentence


def row(line: int, column: str = "school_level") -> dict[str, Any]:
    return {"line": line, "column": column, "code": "UNKNOWN", "message": "No such level."}


def test_refused_rows_are_told_by_line_and_column() -> None:
    problem = {
        "detail": "2 rows of members.csv were refused, so none was taken.",
        "report": {"errors": [row(7), row(9, "")]},
    }

    text = sentence(problem, "registry", 422, "members.csv")

    assert text == (
        "registry refused (422): 2 rows of members.csv were refused, so none was taken. "
        "line 7, school_level: No such level.; line 9: No such level."
    )


def test_only_the_first_of_many_rows_are_told() -> None:
    problem = {"detail": "Many.", "report": {"errors": [row(n) for n in range(2, 100)]}}

    text = sentence(problem, "registry", 422)

    assert "line 6" in text
    assert "line 7" not in text
    assert text.endswith("and more")


def test_wrong_fields_are_told_by_their_place() -> None:
    wrong = {"loc": ["body", "months", 0], "message": "Not a month", "code": "x"}

    text = sentence({"title": "Unprocessable", "errors": [wrong]}, "payments", 422)

    assert text == "payments refused (422): Unprocessable body.months.0: Not a month"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"'])
def test_an_answer_that_is_no_problem_is_told_by_its_status(body: bytes) -> None:
    assert sentence(problem_of(body), "bank", 502) == "bank refused (502): Bad Gateway"


def test_a_status_that_nobody_knows_is_told_as_it_is() -> None:
    assert sentence({}, "bank", 599) == "bank refused (599): no reason given"


@pytest.mark.parametrize("report", [None, 3, {"errors": "none"}, {"errors": [4]}])
def test_members_of_another_form_are_passed_over(report: object) -> None:
    problem = {"detail": "Refused.", "report": report, "errors": {"x": 1}}

    assert sentence(problem, "registry", 422) == "registry refused (422): Refused."
