import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.demo.compare import SHOWN_MAX, compare, uncompared
from cli.demo.outputs import read_csv

EXPECTED = Path(__file__).parents[3] / "examples" / "kalbar-small" / "expected"
YEAR = range(1, 5)


@pytest.fixture
def actual(tmp_path: Path) -> Path:
    """A directory of results that are just as they should be."""
    return Path(shutil.copytree(EXPECTED, tmp_path / "actual"))


def change(file: Path, edit: Callable[[list[str]], object]) -> None:
    """Edit the lines of a file in place."""
    lines = file.read_text().splitlines()
    edit(lines)
    file.write_text("\n".join([*lines, ""]))


def line_of(file: Path, **cells: str) -> int:
    """The line of the first row that has these cells."""
    return next(
        line
        for line, row in read_csv(file)
        if all(row[column] == cell for column, cell in cells.items())
    )


def test_the_expected_files_that_no_service_makes_are_named_and_make_no_difference(
    actual: Path,
) -> None:
    assert uncompared(EXPECTED) == ["reconciliation.csv"]
    (actual / "reconciliation.csv").unlink()
    assert compare(EXPECTED, actual, YEAR).count == 0


def test_a_cut_that_differs_is_told_and_a_column_of_no_cuts_may_be_left_out(actual: Path) -> None:
    file = actual / "entitlements.csv"

    def with_cut(rupiah: str) -> Callable[[list[str]], None]:
        def edit(lines: list[str]) -> None:
            first = f"{lines[1]},{rupiah}"
            lines[:] = [f"{lines[0]},cut", first, *(f"{line},0" for line in lines[2:])]

        return edit

    change(file, with_cut("0"))
    assert compare(EXPECTED, actual, YEAR).count == 0
    shutil.copy(EXPECTED / "entitlements.csv", file)
    change(file, with_cut("75000"))
    [difference] = compare(EXPECTED, actual, YEAR).shown
    assert (difference.column, difference.expected, difference.actual) == (
        "cut",
        "no such column",
        "75000",
    )


def test_line_ends_are_no_difference(actual: Path) -> None:
    change(actual / "entitlements.csv", lambda lines: None)

    assert compare(EXPECTED, actual, YEAR).count == 0


def test_a_cell_that_differs_is_told_by_line_and_column(actual: Path) -> None:
    file = actual / "entitlements.csv"
    line = line_of(file, tahap="2", amount="450000")

    def dearer(lines: list[str]) -> None:
        lines[line - 1] = lines[line - 1].replace("450000", "450001")

    change(file, dearer)

    found = compare(EXPECTED, actual, YEAR)
    assert [str(each) for each in found.shown] == [
        f"entitlements.csv, line {line}, amount: expected 450000, got 450001"
    ]


def test_a_number_of_a_person_differs_without_being_shown(actual: Path) -> None:
    file = actual / "entitlements.csv"
    line, row = next((line, row) for line, row in read_csv(file) if row["failing_members"])
    nik = row["failing_members"].split(";")[0]

    def another(lines: list[str]) -> None:
        lines[line - 1] = lines[line - 1].replace(nik, f"9{nik[1:]}", 1)

    change(file, another)

    [difference] = compare(EXPECTED, actual, YEAR).shown
    assert difference.column == "failing_members"
    assert nik[1:] not in str(difference)


def test_a_row_that_is_missing_and_one_too_many_are_both_told(actual: Path) -> None:
    def move_out(lines: list[str]) -> None:
        lines[1] = lines[1].replace("61", "99", 1)

    change(actual / "eligibility.csv", move_out)

    found = compare(EXPECTED, actual, YEAR)
    assert [(each.expected, each.actual) for each in found.shown] == [
        ("a row", "none"),
        ("none", "a row"),
    ]
    assert not any("6110022501190001" in str(each) for each in found.shown)


def test_a_case_that_stands_elsewhere_is_told_once_the_whole_year_was_run(actual: Path) -> None:
    def resolved(lines: list[str]) -> None:
        lines[2] = lines[2].replace(",OPEN,", ",RESOLVED,")

    change(actual / "cases.csv", resolved)

    assert [str(each) for each in compare(EXPECTED, actual, YEAR).shown] == [
        "cases.csv, line 3, status: expected OPEN, got RESOLVED"
    ]
    assert compare(EXPECTED, actual, [1, 2]).count == 0


def test_a_row_written_twice_is_one_too_many(actual: Path) -> None:
    change(actual / "entitlements.csv", lambda lines: lines.append(lines[-1]))

    [difference] = compare(EXPECTED, actual, YEAR).shown
    assert (difference.expected, difference.actual) == ("none", "a row")


def test_rows_in_another_order_are_a_difference(actual: Path) -> None:
    def swap(lines: list[str]) -> None:
        lines[1], lines[2] = lines[2], lines[1]

    change(actual / "eligibility.csv", swap)

    [difference] = compare(EXPECTED, actual, YEAR).shown
    assert difference.column == "order of rows"


def test_a_column_that_is_not_there_is_a_difference(actual: Path) -> None:
    def rename(lines: list[str]) -> None:
        lines[0] = lines[0].replace("disposition", "outcome")

    change(actual / "entitlements.csv", rename)

    found = compare(EXPECTED, actual, YEAR)
    assert found.shown[0].actual == "no such column"


def test_tahaps_that_were_not_run_are_not_compared(actual: Path) -> None:
    def only_the_first(lines: list[str]) -> None:
        lines[1:] = [line for line in lines[1:] if line.startswith("1,")]

    change(actual / "entitlements.csv", only_the_first)
    sums = json.loads((actual / "summary.json").read_text())
    for part in ("tahap", "kabupaten"):
        sums[part] = {name: each for name, each in sums[part].items() if name[0] == "1"}
    (actual / "summary.json").write_text(json.dumps(sums))

    assert compare(EXPECTED, actual, [1]).count == 0
    assert compare(EXPECTED, actual, [1, 2]).count > 0


def test_a_sum_that_differs_is_told_by_its_place(actual: Path) -> None:
    sums = json.loads((actual / "summary.json").read_text())
    sums["tahap"]["2"]["paid"] += 1
    (actual / "summary.json").write_text(json.dumps(sums))

    [difference] = compare(EXPECTED, actual, YEAR).shown
    assert str(difference) == "summary.json, tahap 2 paid: expected 150, got 151"


def test_a_count_of_zero_may_be_left_out(actual: Path) -> None:
    sums = json.loads((actual / "summary.json").read_text())
    sums["tahap"]["1"]["graduated"] = 0
    del sums["tahap"]["1"]["released_idr"]
    (actual / "summary.json").write_text(json.dumps(sums))

    assert compare(EXPECTED, actual, YEAR).count == 0


def test_all_differences_are_counted_and_the_first_are_shown(actual: Path) -> None:
    def all_on_hold(lines: list[str]) -> None:
        lines[1:] = [line.replace(",ELIGIBLE,", ",HOLD,") for line in lines[1:]]

    change(actual / "eligibility.csv", all_on_hold)

    found = compare(EXPECTED, actual, YEAR)
    assert found.count == 170
    assert len(found.shown) == SHOWN_MAX
