"""A whole year's first tahaps, from files through every front door to the result files."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cli.demo.outputs import ENTITLEMENTS, SUMMARY, read_csv
from cli.processes import wait_until
from cli.year import column
from tests.unit.cli.pages import figures_of, numbers_of

ROOT = Path(__file__).parents[2]
YEAR = ROOT / "examples" / "kalbar-small"
DEADLINE_S = 300

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@dataclass(frozen=True)
class Demo:
    """What a demo said, wrote and left behind."""

    code: int
    said: str
    out: Path
    data: Path


def demo(year: Path, directory: Path, tahap: str) -> Demo:
    out, data = directory / "out", directory / "data"
    places = [str(year), "--out", str(out), "--data", str(data)]
    told = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", *places, "--tahap", tahap],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Demo(told.returncode, told.stdout + told.stderr, out, data)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        yield Path(temporary)


@pytest.fixture(scope="module")
def two_tahaps(directory: Path) -> Demo:
    """The first two tahaps of the small sample year."""
    (directory / "two").mkdir()
    return demo(YEAR, directory / "two", "1-2")


def test_two_tahaps_of_the_sample_year_come_to_what_is_expected(two_tahaps: Demo) -> None:
    assert two_tahaps.code == 0, two_tahaps.said
    assert "0 differences · verified" in two_tahaps.said


def test_what_it_took_is_left_for_programs(two_tahaps: Demo) -> None:
    run = json.loads((two_tahaps.out / "run.json").read_text())

    assert run["families"] == 200
    assert run["differences"] == 0
    assert run["tahap_seconds"].keys() == {"1", "2"}
    assert run["pss_bytes"] > 0


def test_the_report_has_the_summary_s_figures_and_the_duties_that_failed(
    two_tahaps: Demo,
) -> None:
    page = (two_tahaps.out / "report.html").read_text("utf-8")

    assert figures_of(page) == numbers_of(json.loads((two_tahaps.out / SUMMARY).read_text()))
    assert "too few days" in page
    assert "Equal to what is expected" in page


def test_only_the_result_files_hold_anybodys_number(two_tahaps: Demo) -> None:
    numbers = {*column(YEAR / "families.csv", "no_kk"), *column(YEAR / "members.csv", "nik")}
    logs = list((two_tahaps.data / "logs").iterdir())

    assert len(logs) > 5
    page = (two_tahaps.out / "report.html").read_text("utf-8")
    for text in (two_tahaps.said, page, *(path.read_text(errors="replace") for path in logs)):
        assert not [number for number in numbers if number in text]


def test_a_cell_that_comes_to_something_else_is_told_and_fails(directory: Path) -> None:
    year = Path(shutil.copytree(YEAR, directory / "year"))
    file = year / "expected" / ENTITLEMENTS
    line, row = next((line, row) for line, row in read_csv(file) if row["tahap"] == "1")
    lines = file.read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace(f",{row['amount']},", ",1,", 1)
    file.write_text("\n".join([*lines, ""]))
    (directory / "changed").mkdir()

    told = demo(year, directory / "changed", "1")

    assert told.code == 1, told.said
    assert f"{ENTITLEMENTS}, line {line}, amount: expected 1, got {row['amount']}" in told.said
    assert json.loads((told.out / "run.json").read_text())["differences"] == 1


def test_an_interrupted_demo_stops_everything_that_it_started(directory: Path) -> None:
    data = directory / "interrupted"
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
