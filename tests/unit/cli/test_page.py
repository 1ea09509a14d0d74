import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cli.client.year import column, read_calendar
from cli.demo.compare import Comparison, Difference
from cli.demo.figures import UnmetDuty, flow, tally
from cli.demo.machine import Machine
from cli.demo.outputs import ENTITLEMENTS, SUMMARY, read_csv
from cli.demo.page import render, share, write_page
from cli.demo.report import Run
from tests.unit.cli.pages import figures_of, numbers_of

EXAMPLES = Path(__file__).parents[3] / "examples"
YEAR = EXAMPLES / "kalbar-small"
MACHINE = Machine("A processor", 2, 8_000_000_000, "Linux 6", "3.11.9")
DUTIES = [UnmetDuty("SD", "FAILED", "ATTENDANCE_BELOW_THRESHOLD", 6)]


def run_of(year: Path, tahaps: int = 4) -> Run:
    calendar = read_calendar(year)[:tahaps]
    return Run(
        families=200,
        bus="embedded",
        start_s=2.5,
        load_s=0.75,
        tahaps=[(each, 1.7) for each in calendar],
        total_s=17.25,
        pss_bytes=612_000_000,
        summary=json.loads((year / "expected" / SUMMARY).read_text()),
        comparison=Comparison(),
        findings=(),
        duties={calendar[0].id: DUTIES},
    )


def page_of(year: Path = YEAR, **changed: object) -> str:
    run = replace(run_of(year), **changed)  # type: ignore[arg-type]
    return render(year / "expected", run, year, MACHINE)


def words_of(page: str) -> str:
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("year", ["kalbar-2023", "kalbar-small", "kalbar-2025"])
def test_every_figure_of_the_summary_stands_on_the_page_and_no_other(year: str) -> None:
    summary = json.loads((EXAMPLES / year / "expected" / SUMMARY).read_text())

    assert figures_of(page_of(EXAMPLES / year)) == numbers_of(summary)


@pytest.mark.parametrize("year", ["kalbar-2023", "kalbar-small", "kalbar-2025"])
def test_the_money_that_is_shown_adds_up(year: str) -> None:
    expected = EXAMPLES / year / "expected"
    sums = json.loads((expected / SUMMARY).read_text())["tahap"].values()

    money = flow(tally(row for _, row in read_csv(expected / ENTITLEMENTS)), sums)

    def summed(name: str) -> int:
        return sum(each.get(name, 0) for each in sums)

    assert money.entitled == summed("entitled_idr")
    assert money.paid + money.blocked == summed("credited_idr")
    assert money.released + money.forfeited + money.held == money.blocked
    assert money.forfeited + money.transfer_failed == summed("returned_idr")
    assert money.cut == summed("cut_idr")
    assert bool(money.cut) != bool(money.held), "a year cuts or it holds"
    assert not money.open


def test_nobodys_number_or_name_is_on_the_page() -> None:
    page = page_of()
    secrets = {
        *column(YEAR / "families.csv", "no_kk"),
        *column(YEAR / "members.csv", "nik"),
        *column(YEAR / "bank_accounts.csv", "account_no"),
        *column(YEAR / "bank_accounts.csv", "holder_name"),
    }

    assert len(secrets) > 500
    assert not [secret for secret in secrets if secret in page]


def test_the_page_needs_nothing_but_itself() -> None:
    page = page_of()

    assert "default-src 'none'" in page
    assert '<html lang="en">' in page
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)|@import|url\(""", page)


def test_reasons_are_told_in_words_and_the_largest_first() -> None:
    words = words_of(page_of())

    assert "School, primary: too few days kehadiran SD 6" in words
    order = ["Eligible layak", "No member in a category", "On hold: a person stands in two"]
    places = [words.index(each) for each in order]
    assert places == sorted(places)


def test_a_code_that_is_new_stands_for_itself() -> None:
    duty = UnmetDuty("PONDOK", "FAILED", "LOST", 3)

    assert "PONDOK: LOST" in words_of(page_of(duties={"2023-1": [duty]}))


def test_regencies_have_names_where_the_year_has_them_and_else_their_codes(
    tmp_path: Path,
) -> None:
    nameless = Path(shutil.copytree(YEAR, tmp_path / "year"))
    (nameless / "regions.csv").unlink()

    assert "Sanggau" in words_of(page_of())
    assert "61.03" in words_of(page_of(nameless))
    assert "Sanggau" not in words_of(page_of(nameless))


def test_a_run_of_one_tahap_is_shown_too() -> None:
    run = run_of(YEAR, 1)
    only = {
        "eligibility": run.summary["eligibility"],
        "tahap": {"1": run.summary["tahap"]["1"]},
        "kabupaten": {
            place: sums for place, sums in run.summary["kabupaten"].items() if place[0] == "1"
        },
    }

    page = page_of(tahaps=run.tahaps, summary=only)

    assert "Tahap 1 of 2023" in words_of(page)
    assert figures_of(page) == numbers_of(only)


def test_a_year_without_anybody_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / ENTITLEMENTS).write_text("tahap,disposition\n")
    run = replace(
        run_of(YEAR), summary={"eligibility": {}, "tahap": {}, "kabupaten": {}}, duties={}
    )

    words = words_of(render(tmp_path, run, YEAR, MACHINE))

    assert "0 were found eligible" in words
    assert share(0, 0) in words.replace(" %", "\N{NO-BREAK SPACE}%")


def test_what_differs_is_said_first_and_shown_below() -> None:
    found = Comparison()
    for line in range(12):
        found.add(Difference("entitlements.csv", line + 2, "amount", "1", "<2>"))

    words = words_of(page_of(comparison=found))

    assert "12 cells differ" in words
    assert "entitlements.csv, line 11 amount 1 &lt;2&gt;" in words
    assert "line 12" not in words
    assert "Equal to what is expected" not in words


def test_what_verify_found_is_said_first_and_shown_below() -> None:
    words = words_of(page_of(findings=["registry: block 7 is gone"]))

    assert "Verification: 1 finding " in words
    assert "registry: block 7 is gone" in words


def test_without_anything_to_compare_with_nothing_is_claimed() -> None:
    words = words_of(page_of(comparison=None))

    assert "Nothing to compare with" in words
    assert "Equal to" not in words


def test_what_it_was_run_on_is_said(tmp_path: Path) -> None:
    shutil.copytree(YEAR / "expected", tmp_path, dirs_exist_ok=True)

    path = write_page(tmp_path, run_of(YEAR), YEAR, MACHINE)

    words = words_of(path.read_text("utf-8"))
    assert path == tmp_path / "report.html"
    assert "Processor A processor" in words
    assert "Altogether 17.2 s" in words
    assert Machine.this().cores > 0
