"""A clerk finds what nobody has: counted by school and month, or the lines of their own file."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import FakePlatform, answer
from tests.unit.cli.test_verbs import YEAR, pkh

SCHOOL = {"kind": "SCHOOL", "reporter": "30141147", "month": "2023-01"}


def test_facts_of_nobody_are_counted_by_school_and_month(
    data_dir: Path, fake: FakePlatform
) -> None:
    nameless = {"kind": "FACILITY", "reporter": "", "month": "2023-02", "facts": 1}
    page = {"items": [SCHOOL | {"facts": 1_200}, nameless], "next": None}
    fake.when("GET", "conditionality/unmatched-facts", answer(page))

    shown = pkh(data_dir, "unmatched", "--month", "2023-01")

    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines() == [
        "SCHOOL 30141147 2023-01: 1,200",
        "FACILITY - 2023-02: 1",
        "1,201 facts are of persons whom no family has.",
    ]
    assert fake.asked[0].url.params["month"] == "2023-01"


def test_the_lines_of_an_import_are_told_one_by_one(data_dir: Path, fake: FakePlatform) -> None:
    line = SCHOOL | {"source": "import-1", "line": 7, "service": ""}
    fake.when(
        "GET", "conditionality/unmatched-facts/lines", answer({"items": [line], "next": None})
    )

    shown = pkh(data_dir, "unmatched", "--job", "import-1")

    assert shown.output.splitlines() == [
        "line 7: SCHOOL 30141147 2023-01",
        "1 facts are of persons whom no family has.",
    ]
    assert fake.asked[0].url.params["source"] == "import-1"


def test_an_import_says_how_many_rows_are_of_nobody(data_dir: Path, fake: FakePlatform) -> None:
    counts = {"accepted": 3_000, "unchanged": 63, "refused": 0, "matched": 3_060, "unmatched": 3}
    report = {"file": "school_attendance.csv", "job": "import-1", "errors": []} | counts
    fake.when("POST", "conditionality/imports/school-attendance", answer(report))
    file = str(YEAR / "school_attendance.csv")

    result = pkh(data_dir, "import", file, "school-attendance", "--as", "clerk")

    assert (
        "school_attendance.csv: accepted 3,000 · unchanged 63 · matched 3,060 · unmatched 3"
        in result.output
    )
