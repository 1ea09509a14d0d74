"""A page of the console as a browser sees it, and what must hold of every page."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any, Final

from tests.browser import Browser
from tests.doors import ROOT
from tests.integration.console.kit import ServedConsole
from tests.tiers import NIGHTLY

AXE: Final = Path(__file__).with_name("axe.min.js")
PICTURES: Final = ROOT / "build" / "console"
PHONE, DESK = 360, 1280
# What is seen depends on the width, in which colours on the light: by day each of them once.
VIEWS: Final = (
    tuple(product((PHONE, DESK), ("light", "dark")))
    if NIGHTLY
    else ((PHONE, "dark"), (DESK, "light"))
)
"""Widths of a window with the light that its user wants."""
WIDER: Final = """[...document.querySelectorAll("body *")].filter(each =>
  each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".scroll")
  && !each.closest(".skip")).map(each => each.outerHTML.slice(0, 200))"""
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def sign_in(chromium: Browser, console: ServedConsole, person: str, path: str) -> None:
    """Open a page as somebody who is not signed in, and pick a person where that leads."""
    chromium.call("Network.clearBrowserCookies")
    chromium.open(f"{console.url}{path}")
    pick = f"document.querySelector('button[value=\"{person}\"]').click()"
    chromium.click(pick)


def text(chromium: Browser) -> str:
    """All that the page says."""
    said: str = chromium.value("document.body.innerText")
    return said


def violations(chromium: Browser) -> list[str]:
    """The findings of axe against WCAG 2.2 AA, with the place of each."""
    chromium.value(AXE.read_text("utf-8") + ";0")
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}})
    found: list[dict[str, Any]] = json.loads(
        chromium.awaited(f"axe.run(document, {options}).then(it => JSON.stringify(it.violations))")
    )
    return [f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}" for each in found]


def seen(chromium: Browser, name: str, width: int, scheme: str) -> None:
    """Leave a picture of a page under build/ at night: one takes as long as all that is asked."""
    if NIGHTLY:
        PICTURES.mkdir(parents=True, exist_ok=True)
        chromium.picture(PICTURES / f"{name}-{width}-{scheme}.png")


def holds_for_every_page(chromium: Browser, url: str, name: str) -> None:
    """A page fits a phone and a desk in both lights, asks nobody else for anything, and has no
    complaint of the browser's and none of axe's."""
    origin = url.partition("/console")[0]
    for width, scheme in VIEWS:
        chromium.requests.clear()
        chromium.complaints.clear()
        chromium.open(url, width=width, scheme=scheme)
        assert all(each.startswith(origin) for each in chromium.requests), chromium.requests
        # That a page is a 404 is said as an error too; it is what was asked for.
        complaints = [each for each in chromium.complaints if "status of 4" not in each]
        assert not complaints, complaints
        assert chromium.value("document.documentElement.scrollWidth") == width, name
        assert chromium.value(WIDER) == []
        seen(chromium, name, width, scheme)
        assert violations(chromium) == []
