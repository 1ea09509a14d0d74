import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.client.year import read_calendar
from cli.demo.compare import Comparison, Difference
from cli.demo.report import Run, print_run, write_run

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"
TAHAPS = read_calendar(YEAR)[:2]


@pytest.fixture
def run() -> Run:
    summary = json.loads((YEAR / "expected" / "summary.json").read_text())
    return Run(
        families=200,
        bus="embedded",
        start_s=2.5,
        load_s=0.75,
        tahaps=[(TAHAPS[0], 1.7), (TAHAPS[1], 2.0)],
        total_s=7.25,
        pss_bytes=612_000_000,
        summary=summary,
        comparison=Comparison(),
        findings=(),
    )


def differing(count: int) -> Comparison:
    found = Comparison()
    for line in range(count):
        found.add(Difference("entitlements.csv", line + 2, "amount", "1", "2"))
    return found


def printed(run: Run) -> str:
    file = StringIO()
    print_run(Console(file=file, width=120), run, YEAR / "expected")
    return file.getvalue()


def test_programs_find_what_it_took_in_one_file(run: Run, tmp_path: Path) -> None:
    write_run(tmp_path, run)

    assert json.loads((tmp_path / "run.json").read_text()) == {
        "families": 200,
        "start_seconds": 2.5,
        "load_seconds": 0.75,
        "tahap_seconds": {"1": 1.7, "2": 2.0},
        "total_seconds": 7.25,
        "pss_bytes": 612_000_000,
        "bus": "embedded",
        "differences": 0,
    }


def test_people_see_one_table(run: Run) -> None:
    text = printed(run)

    assert "2023-1" in text
    assert "126,275,000" in text
    assert "120,500,000" in text
    assert "100" in text  # 170 families in 1.7 seconds
    assert "start 2.5 s · load 0.8 s · total 7.2 s · memory 612 MB" in text
    assert "embedded bus · 0 differences · verified" in text


@pytest.mark.parametrize(
    ("comparison", "findings", "code"),
    [
        (Comparison(), (), 0),
        (None, (), 0),
        (differing(1), (), 1),
        (Comparison(), ("payments: something",), 1),
        (None, ("payments: something",), 1),
    ],
)
def test_a_run_ends_well_only_without_differences_and_findings(
    run: Run, comparison: Comparison | None, findings: tuple[str, ...], code: int
) -> None:
    assert replace(run, comparison=comparison, findings=findings).exit_code == code


def test_the_first_differences_are_printed_and_the_others_counted(run: Run) -> None:
    text = printed(replace(run, comparison=differing(12)))

    assert "entitlements.csv, line 11, amount: expected 1, got 2" in text
    assert "line 12" not in text
    assert "and 2 more" in text
    assert "12 differences" in text


def test_where_nothing_is_expected_it_is_said(run: Run, tmp_path: Path) -> None:
    uncompared = replace(run, comparison=None)
    write_run(tmp_path, uncompared)

    assert "Nothing to compare with" in printed(uncompared)
    assert json.loads((tmp_path / "run.json").read_text())["differences"] is None


def test_what_verify_found_is_printed(run: Run) -> None:
    assert "verify: registry: block 7 is gone" in printed(
        replace(run, findings=("registry: block 7 is gone",))
    )
