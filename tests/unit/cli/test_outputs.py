import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.client.year import cards_in_order
from cli.demo.compare import compare
from cli.demo.outputs import Results, entitlement_rows, summary, write_results
from tests.unit.cli.year_results import cases_of, results_of

EXAMPLES = Path(__file__).parents[3] / "examples"
YEARS = ["kalbar-small", "kalbar-2023", "kalbar-2025"]


@pytest.mark.parametrize("year", YEARS)
def test_the_rows_of_a_sample_year_come_to_its_expected_files(year: str, tmp_path: Path) -> None:
    directory = EXAMPLES / year

    write_results(tmp_path, results_of(directory), directory, cases_of(directory))

    found = compare(directory / "expected", tmp_path, range(1, 5))
    assert found.shown == []
    assert found.count == 0


@pytest.mark.parametrize("year", YEARS)
def test_the_files_are_those_of_the_sample_year_byte_for_byte(year: str, tmp_path: Path) -> None:
    directory = EXAMPLES / year

    write_results(tmp_path, results_of(directory), directory, cases_of(directory))

    for name in ("eligibility.csv", "entitlements.csv", "cases.csv"):
        assert (tmp_path / name).read_bytes() == (directory / "expected" / name).read_bytes()


def test_nobody_but_their_owner_may_read_the_files_not_even_those_of_an_earlier_run(
    tmp_path: Path,
) -> None:
    directory = EXAMPLES / "kalbar-small"
    (tmp_path / "entitlements.csv").touch(mode=0o644)

    write_results(tmp_path, results_of(directory), directory, cases_of(directory))

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_family_that_nobody_judged_has_no_row(tmp_path: Path) -> None:
    directory = EXAMPLES / "kalbar-small"
    whole = results_of(directory)

    fewer = replace(whole, designations=whole.designations[1:])
    write_results(tmp_path, fewer, directory, cases_of(directory))

    found = compare(directory / "expected", tmp_path, range(1, 5))
    assert {(each.file, each.column) for each in found.shown} >= {("eligibility.csv", "row")}


def test_a_row_at_graduation_counts_as_no_family() -> None:
    row = {
        "tahap": "3",
        "region_code": "61.03.01.2026",
        "amount": "0",
        "commitment": "",
        "disposition": "GRADUATED_NATURAL",
        "released": "0",
        "returned": "975000",
    }

    [sums] = summary([], [row])["tahap"].values()

    assert sums["families"] == 0
    assert sums["graduated"] == 1
    assert sums["returned_idr"] == 975_000


def test_a_disposition_is_counted_by_what_stands_before_the_plus() -> None:
    row = {
        "tahap": "3",
        "region_code": "61.03.01.2026",
        "amount": "600000",
        "commitment": "FAILED",
        "disposition": "BLOCKED+TERMINATED",
        "released": "0",
        "returned": "600000",
    }

    sums = summary([], [row])

    assert sums["tahap"]["3"]["blocked"] == 1
    assert sums["tahap"]["3"]["credited_idr"] == 600_000
    assert sums["tahap"]["3"]["paid_idr"] == 0
    assert sums["kabupaten"] == {"3/61.03": {"families": 1, "entitled_idr": 600_000}}


def test_the_numbers_of_failing_members_become_their_niks_in_ascending_order() -> None:
    directory = EXAMPLES / "kalbar-2023"
    cards = list(cards_in_order(directory))

    rows = entitlement_rows(results_of(directory), cards)

    joined = [row["failing_members"].split(";") for row in rows if ";" in row["failing_members"]]
    assert joined
    assert all(niks == sorted(niks) for niks in joined)


def test_who_a_family_is_does_not_show_in_what_is_printed_of_it() -> None:
    whole: Results = results_of(EXAMPLES / "kalbar-small")
    who = whole.identities[0]

    assert who.no_kk not in repr(whole.identities)
    assert who.members[0].nik not in repr(who)


def test_the_summary_is_json_with_whole_numbers(tmp_path: Path) -> None:
    directory = EXAMPLES / "kalbar-small"

    write_results(tmp_path, results_of(directory), directory, cases_of(directory))

    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["tahap"]["1"]["entitled_idr"] == 126_275_000
