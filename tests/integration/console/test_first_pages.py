"""The console's first pages as people see them, signed in as they do."""

from __future__ import annotations

import json

import pytest

from tests.browser import Browser
from tests.doors import YEAR
from tests.integration.console.kit import ELSEWHERE, NATION, REGENCY, ServedConsole
from tests.integration.console.seeing import holds_for_every_page, sign_in, text

LAST = "2023-4"


@pytest.fixture(autouse=True)
def _as_nation(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, NATION, "/console/")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("overview", "/console/"),
        ("overview-regency", "/console/?region=61.03"),
        ("pipeline", f"/console/pipeline?tahap={LAST}"),
        ("unknown-tahap", "/console/pipeline?tahap=2031-1"),
        ("family", "/console/families/{family}"),
    ],
)
def test_a_page_fits_and_is_open_to_everybody(
    chromium: Browser, console: ServedConsole, name: str, path: str
) -> None:
    holds_for_every_page(chromium, console.url + path.format(family=console.family), name)


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
def test_the_overview_says_what_the_year_comes_to(
    chromium: Browser, console: ServedConsole, number: str
) -> None:
    expected = json.loads((YEAR / "expected" / "summary.json").read_text())["tahap"][number]

    chromium.open(f"{console.url}/console/?tahap=2023-{number}")

    seen = "document.querySelector('[data-figure=families]').innerText.replaceAll('.', '')"
    assert int(chromium.value(seen)) == expected["families"]
    paid = "document.querySelector('[data-state=PAID]').innerText.replaceAll('.', '')"
    assert int(chromium.value(paid)) == expected["paid"]


def test_one_drills_down_from_the_nation_to_a_family(
    chromium: Browser, console: ServedConsole
) -> None:
    chromium.open(f"{console.url}/console/?tahap={LAST}")

    for _ in ("province", "regency", "district", "village", "family"):
        chromium.click("document.querySelector('section tbody th a').click()")

    assert "/console/families/" in chromium.value("location.pathname")
    assert "Bantuan Rp" in text(chromium)


def test_it_speaks_english_to_whoever_switches(chromium: Browser, console: ServedConsole) -> None:
    chromium.open(f"{console.url}/console/")
    assert "Keluarga menurut status" in text(chromium)

    chromium.click("document.querySelector('a[hreflang=en]').click()")

    assert "Families by state" in text(chromium)
    assert chromium.value("document.documentElement.lang") == "en"
    chromium.click("document.querySelector('a[hreflang=id]').click()")


def test_a_regency_sees_itself_and_no_other(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, REGENCY, "/console/")
    assert "Kabupaten Sanggau" in text(chromium)

    chromium.open(f"{console.url}/console/?region=61.04")

    assert "Wilayah ini di luar tugas Anda" in text(chromium)


def test_a_foreign_family_is_as_unknown_as_none(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, ELSEWHERE, f"/console/families/{console.family}")

    assert "Keluarga ini tidak dikenal" in text(chromium)


def test_what_is_under_the_pointer_is_said(chromium: Browser, console: ServedConsole) -> None:
    chromium.open(f"{console.url}/console/?tahap={LAST}")

    chromium.value("document.querySelector('[data-tip]').focus()")

    assert "keluarga" in chromium.value("document.getElementById('tip').innerText")
