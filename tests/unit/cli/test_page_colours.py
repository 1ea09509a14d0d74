import re
from itertools import product
from pathlib import Path

import pytest

import cli.demo

CSS = (Path(cli.demo.__file__).parent / "templates" / "report.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
)
TEXT = ("ink", "soft", "good", "bad")
BARS = (
    "paid", "blocked", "failed", "refused", "payee", "released", "forfeited", "graduated",
)  # fmt: skip


def luminance(colour: str) -> float:
    """As WCAG 2 defines it, from 0 for black to 1 for white."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("colours", "name"), [*product((LIGHT, DARK), TEXT)])
def test_text_can_be_read(colours: dict[str, str], name: str) -> None:
    assert contrast(colours[name], colours["paper"]) >= 4.5


@pytest.mark.parametrize(("colours", "name"), [*product((LIGHT, DARK), BARS)])
def test_a_bar_can_be_seen(colours: dict[str, str], name: str) -> None:
    assert contrast(colours[name], colours["paper"]) >= 3


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
