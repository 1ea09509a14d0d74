"""The report of a run as a browser shows it: alone, complete, on a screen, a phone and paper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo.machine import Machine
from cli.demo.page import render
from tests.browser import Browser, browser
from tests.unit.cli.pages import numbers_of
from tests.unit.cli.test_page import YEAR, run_of

FIGURES = """JSON.stringify(Object.fromEntries(
  [...document.querySelectorAll("[data-figure]")]
  .filter(each => each.getClientRects().length)
  .map(each => [each.dataset.figure, Number(each.innerText.replace(/Rp|[^0-9]/g, ""))])))"""
WIDER = """[...document.querySelectorAll("body *")].filter(
  each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML)"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page of a whole small year."""
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(YEAR / "expected", run_of(YEAR), YEAR, Machine.this()), "utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1000, 1200])
def test_it_opens_alone_without_a_complaint_and_fits(
    chromium: Browser, page: str, width: int, scheme: str
) -> None:
    chromium.requests.clear()

    chromium.open(page, width=width, scheme=scheme)

    assert chromium.requests == [page]
    assert not chromium.complaints
    assert chromium.value("document.documentElement.scrollWidth") == width
    assert chromium.value(WIDER) == []


@pytest.mark.parametrize("width", [360, 1200])
def test_its_figures_are_seen_as_the_summary_has_them(
    chromium: Browser, page: str, width: int
) -> None:
    chromium.open(page, width=width)

    seen = json.loads(chromium.value(FIGURES))

    summary = json.loads((YEAR / "expected" / "summary.json").read_text())
    assert {name: number for name, number in seen.items() if number} == numbers_of(summary)


def test_it_follows_the_reader_s_light(chromium: Browser, page: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"

    chromium.open(page, scheme="light")
    light = chromium.value(paper)
    chromium.open(page, scheme="dark")

    assert chromium.value(paper) != light


def test_everything_that_is_drawn_is_also_said(chromium: Browser, page: str) -> None:
    chromium.open(page)

    silent = """[...document.querySelectorAll("[role=img]")].filter(
      each => !each.ariaLabel.match(/[0-9]/)).length"""
    hovered = """[...document.querySelectorAll(".bar, .stack i, .clock i")].filter(
      each => !each.title.match(/[0-9]/)).length"""
    assert chromium.value("document.querySelectorAll('[role=img]').length") > 5
    assert chromium.value(silent) == 0
    assert chromium.value(hovered) == 0


def test_it_prints_on_a_few_pages(chromium: Browser, page: str) -> None:
    chromium.open(page)

    answered = chromium.call("Page.printToPDF", printBackground=False, paperWidth=8.27)

    assert len(answered["data"]) > 10_000
