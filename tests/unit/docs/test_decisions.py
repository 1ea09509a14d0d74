import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.unit.docs.documents import links, read, unknown_names

LINES_MAX = 40
PARTS = ["Context", "Decision", "Consequences", "Alternatives"]

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def title_of(path: Path) -> str:
    return read(path).splitlines()[0]


def test_there_are_decisions() -> None:
    assert DECISIONS


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_a_number_a_title_and_four_parts_on_a_page(path: Path) -> None:
    text = read(path)

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert title_of(path).startswith(f"# {path.name[:4]}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert len(text.splitlines()) <= LINES_MAX


def test_no_number_is_given_twice() -> None:
    numbers = [path.name[:4] for path in DECISIONS]

    assert len(numbers) == len(set(numbers))


def test_the_list_of_decisions_names_each_with_its_title() -> None:
    listed = read("docs/README.md")

    for path in DECISIONS:
        title = title_of(path).partition(": ")[2]
        assert f"| [{path.name[:4]}](decisions/{path.name}) | {title} |" in listed


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_speaks_of_what_is_in_the_code(path: Path) -> None:
    text = read(path)

    assert any(target.startswith("../../") for target in links(text))
    assert not unknown_names(text)
