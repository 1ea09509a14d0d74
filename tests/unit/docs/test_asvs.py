"""ASVS 5.0 up to level 2 is answered for whole, and what is said to hold a requirement is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from tests.architecture.tree import ROOT
from tests.unit.docs.documents import read

DOCUMENT: Final = "docs/security/asvs.md"
ROW: Final = re.compile(r"^\| ([0-9.]+)(?:-([0-9.]+))? \| (\S+) \| (.+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
STATES: Final = ("test", "built", "n/a", "open")

# Chapter, and how many requirements up to level 2 each of its sections has; a section without any
# is left out. From the table of version 5.0.0.
SECTIONS: Final = {
    1: {1: 2, 2: 9, 3: 11, 4: 3, 5: 2},
    2: {1: 3, 2: 3, 3: 4, 4: 1},
    3: {2: 2, 3: 4, 4: 6, 5: 5, 7: 2},
    4: {1: 3, 2: 1, 3: 2, 4: 4},
    5: {1: 1, 2: 3, 3: 2, 4: 3},
    6: {1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4},
    7: {1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2},
    8: {1: 2, 2: 3, 3: 1, 4: 1},
    9: {1: 3, 2: 4},
    10: {1: 2, 2: 2, 3: 4, 4: 11, 5: 5, 6: 2, 7: 3},
    11: {1: 2, 2: 3, 3: 3, 4: 4, 5: 1, 6: 1},
    12: {1: 3, 2: 2, 3: 4},
    13: {1: 1, 2: 5, 3: 2, 4: 5},
    14: {1: 2, 2: 4, 3: 3},
    15: {1: 3, 2: 3, 3: 7},
    16: {1: 1, 2: 5, 3: 4, 4: 3, 5: 3},
    17: {1: 1, 2: 4, 3: 2},
}
REQUIREMENTS: Final = [
    f"{chapter}.{section}.{number}"
    for chapter, sections in SECTIONS.items()
    for section, count in sections.items()
    for number in range(1, count + 1)
]


def answered(text: str) -> Iterator[tuple[str, str]]:
    """Each requirement that a row of the document answers for, and its state."""
    for first, last, state, _ in ROW.findall(text):
        begin = REQUIREMENTS.index(first)
        end = REQUIREMENTS.index(last or first)
        assert begin <= end, first
        yield from ((number, state) for number in REQUIREMENTS[begin : end + 1])


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests that a file has."""
    text = (ROOT / path).read_text()
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))


def test_every_requirement_is_answered_for_once_and_in_order() -> None:
    assert [number for number, _ in answered(read(DOCUMENT))] == REQUIREMENTS


def test_a_row_has_a_state_that_is_one_and_the_document_counts_them() -> None:
    found = Counter(state for _, state in answered(read(DOCUMENT)))
    counted = re.findall(r"^\| (\S+) \| (\d+) \|$", read(DOCUMENT), re.MULTILINE)

    assert [(state, str(found[state])) for state in STATES] == counted
    assert found.keys() <= {*STATES}


@pytest.mark.parametrize(
    ("path", "name"), sorted(set(TEST.findall(read(DOCUMENT)))), ids=lambda part: part
)
def test_a_test_that_is_named_is_there(path: str, name: str) -> None:
    assert name in names_in(path)


def test_whatever_is_held_by_a_test_names_one_and_everything_else_says_why() -> None:
    for first, _, state, why in ROW.findall(read(DOCUMENT)):
        assert bool(TEST.search(why)) is (state == "test"), first
        assert len(TEST.sub("", why)) >= 5 or state == "test", first
