"""A whole year, from files through every front door to the result files."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cli.client.year import column
from cli.demo.outputs import ENTITLEMENTS, SUMMARY, read_csv
from localstack.processes import wait_until
from tests.e2e.demos import DEADLINE_S, ROOT, YEAR, Demo, demo
from tests.unit.cli.pages import figures_of, numbers_of

LARGE_YEAR = ROOT / "examples" / "kalbar-2023"
YEAR_THAT_CUTS = ROOT / "examples" / "kalbar-2025"


def test_the_sample_year_comes_to_all_that_is_expected(small_year: Demo) -> None:
    assert small_year.code == 0, small_year.said
    assert "0 differences · verified" in small_year.said
    for file in ("eligibility.csv", "entitlements.csv", "summary.json"):
        assert (small_year.out / file).exists()


def test_the_demo_says_whom_people_decided_on_and_what_nobody_takes(small_year: Demo) -> None:
    line = "tahap 2023-3: 5 families investigated · 3 confirmed · 1 not confirmed · 1 wait"

    assert line in small_year.said
    assert "Skipped, as no service takes them yet: withdrawals.csv" in small_year.said
    assert ", facilitator_reconciliation.csv" in small_year.said
    assert "Not compared, as no service makes them yet: reconciliation.csv" in small_year.said


@pytest.mark.nightly  # the small year holds every rule but the cut, which has tests of its own
@pytest.mark.parametrize("bus", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
@pytest.mark.parametrize("year", [LARGE_YEAR, YEAR_THAT_CUTS], ids=lambda year: year.name)
def test_another_year_comes_to_all_that_is_expected(directory: Path, year: Path, bus: str) -> None:
    place = directory / f"{year.name}-{bus}"
    place.mkdir()

    result = demo(year, place, "--bus", bus)

    assert result.code == 0, result.said
    assert f"{bus} bus · 0 differences · verified" in result.said


def test_what_it_took_is_left_for_programs(small_year: Demo) -> None:
    run = json.loads((small_year.out / "run.json").read_text())

    assert run["families"] == 200
    assert run["differences"] == 0
    assert run["tahap_seconds"].keys() == {"1", "2", "3", "4"}
    assert run["pss_bytes"] > 0


def test_the_report_has_the_summary_s_figures_and_the_duties_that_failed(
    small_year: Demo,
) -> None:
    page = (small_year.out / "report.html").read_text("utf-8")

    assert figures_of(page) == numbers_of(json.loads((small_year.out / SUMMARY).read_text()))
    assert "too few days" in page
    assert "Equal to what is expected" in page


def test_only_the_result_files_hold_anybodys_number(small_year: Demo) -> None:
    numbers = {*column(YEAR / "families.csv", "no_kk"), *column(YEAR / "members.csv", "nik")}
    logs = list((small_year.data / "logs").iterdir())

    assert len(logs) > 5
    page = (small_year.out / "report.html").read_text("utf-8")
    for text in (small_year.said, page, *(path.read_text(errors="replace") for path in logs)):
        assert not [number for number in numbers if number in text]


def test_a_cell_that_comes_to_something_else_is_told_and_fails(
    directory: Path, small_year: Demo
) -> None:
    year = Path(shutil.copytree(YEAR, directory / "year"))
    file = year / "expected" / ENTITLEMENTS
    line, row = next((line, row) for line, row in read_csv(file) if row["tahap"] == "1")
    lines = file.read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace(f",{row['amount']},", ",1,", 1)
    file.write_text("\n".join([*lines, ""]))
    (directory / "changed").mkdir()

    result = demo(year, directory / "changed", data=small_year.data)

    assert result.code == 1, result.said
    assert f"{ENTITLEMENTS}, line {line}, amount: expected 1, got {row['amount']}" in result.said
    assert json.loads((result.out / "run.json").read_text())["differences"] == 1


def test_an_interrupted_demo_stops_everything_that_it_started(
    directory: Path, small_year: Demo
) -> None:
    data = small_year.data
    places = [str(YEAR), "--out", str(directory / "out"), "--data", str(data)]
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo", *places],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    card = data / "run" / "platform.json"
    assert wait_until(lambda: card.exists() or running.poll() is not None, DEADLINE_S)
    pids = json.loads((data / "run" / "pids.json").read_text())

    running.send_signal(signal.SIGTERM)

    assert running.wait(DEADLINE_S) == 130
    assert {"postgres", "relay", "registry", "payments"} <= pids.keys()
    assert not [name for name, pid in pids.items() if psutil.pid_exists(pid)]
    assert not card.exists()
