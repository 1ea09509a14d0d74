"""A report's page, read back from its HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

FIGURE: Final = re.compile(r'<data value="(-?\d+)" data-figure="([^"]+)">([^<]+)</data>')


def figures_of(page: str) -> dict[str, int]:
    """{name: value} of the figures that are not 0; each must read as its value."""
    found: dict[str, int] = {}
    for value, name, text in FIGURE.findall(page):
        assert unescape(text).replace("Rp\N{NO-BREAK SPACE}", "") == f"{int(value):,}", name
        assert found.setdefault(name, int(value)) == int(value), name
    return {name: value for name, value in found.items() if value}


def numbers_of(summary: Mapping[str, Any]) -> dict[str, int]:
    """{"tahap 1 paid": 170}: every number of a summary.json that is not 0, by its path."""
    numbers = {f"eligibility {name}": count for name, count in summary["eligibility"].items()}
    for part in ("tahap", "kabupaten"):
        for place, sums in summary[part].items():
            numbers |= {f"{part} {place} {name}": value for name, value in sums.items()}
    return {name: value for name, value in numbers.items() if value}
