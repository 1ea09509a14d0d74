"""Values from outside have one form: no pattern takes other scripts' digits, no parser is lax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import PACKAGES, holding, parse, python_files

SOURCES: Final = python_files(*PACKAGES)
OWN_DATES: Final = {
    Path("libs/chassis/forms.py"): "the one form",
    Path("libs/events/domain/personal.py"): "a day as it was stored",
    Path("libs/privacy/days.py"): "what we sealed ourselves",
    Path("services/payments/domain/tahap/announcement.py"): "a month that was checked",
    Path("simulators/books.py"): "a bank's own books",
    Path("simulators/journal.py"): "what it wrote itself",
    Path("simulators/request_file.py"): "held against its own ISO form",
}
"""Who reads a date by the library's parser, and why that is no door."""
DATE_PARSERS: Final = ("fromisoformat", "strptime")
OTHER_DIGITS: Final = (r"\d", r"\w", "[[:digit:]]")
DIGIT_TESTS: Final = ("isdigit", "isdecimal", "isnumeric", "isalnum")


def texts(tree: ast.Module) -> Iterator[str]:
    """Every text of a module but its docstrings."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in docstrings:
            yield text


def takes_other_digits(pattern: str) -> bool:
    return any(kind in pattern for kind in OTHER_DIGITS)


def unguarded(tree: ast.Module) -> list[int]:
    """The lines that ask whether a text is of digits, and not whether it is ASCII."""
    found: list[int] = []
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.BoolOp | ast.Return | ast.If | ast.match_case):
            continue
        calls = [
            node.func
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ]
        ascii_ones = {ast.dump(call.value) for call in calls if call.attr == "isascii"}
        found += [
            call.lineno
            for call in calls
            if call.attr in DIGIT_TESTS and ast.dump(call.value) not in ascii_ones
        ]
    return found


def lax_dates(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in DATE_PARSERS
        and isinstance(node.value, ast.Name)
        and node.value.id == "date"
        for node in ast.walk(tree)
    )


def test_a_digit_is_one_of_ten() -> None:
    trees = {path: parse(path) for path in holding(SOURCES, *OTHER_DIGITS, *DIGIT_TESTS)}

    patterns = {path: [*filter(takes_other_digits, texts(tree))] for path, tree in trees.items()}
    assert {str(path): found for path, found in patterns.items() if found} == {}
    asked = {str(path): unguarded(tree) for path, tree in trees.items()}
    assert {path: lines for path, lines in asked.items() if lines} == {}


def test_a_date_from_outside_is_read_in_one_place() -> None:
    reading = holding(SOURCES, *DATE_PARSERS)

    assert {path for path in reading if lax_dates(parse(path))} == set(OWN_DATES)


@pytest.mark.parametrize(
    "source",
    [
        r'FORM = re.compile(r"\d{4}-\d\d")',
        r'TahapId = Annotated[str, Query(pattern=r"^\d{4}$")]',
        "def f(text):\n    return text.isdigit()",
        "def f(text, other):\n    return other.isascii() and text.isdecimal()",
    ],
)
def test_this_test_would_notice_digits(source: str) -> None:
    tree = ast.parse(source)
    assert any(map(takes_other_digits, texts(tree))) or unguarded(tree)


def test_this_test_would_notice_a_date() -> None:
    assert lax_dates(ast.parse("day = date.fromisoformat(row['birth_date'])"))
    assert not lax_dates(ast.parse("moment = datetime.fromisoformat(text)"))
