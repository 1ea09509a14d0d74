"""Every problem that a service can answer has a page that helps, and every page a problem."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from libs.chassis.problems import GENERAL, Problem, title_of
from tests.unit.docs.documents import blocks
from tools.contracts import interfaces
from tools.contracts.problem_pages import PAGES, ProblemCode, all_problems, meaning, there

PARTS = ("**When:** ", "**What to do:** ")
CHARACTERS_MAX = 100
SIXTEEN_DIGITS = re.compile(r"\d{16}")


def test_problems_have_pages_and_pages_problems() -> None:
    assert len(all_problems()) > 80
    assert there() == all_problems().keys(), "; ".join(interfaces.drift())


def test_what_is_generated_is_what_the_code_says() -> None:
    assert not interfaces.drift()


@pytest.mark.parametrize("code", sorted(there()))
def test_a_page_says_what_it_means_when_it_happens_and_what_to_do(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text("utf-8")
    title, heading, means, when, todo = page.split("\n\n")[:5]

    assert (title, heading) == (f"# {title_of(code)}", all_problems()[code].heading(code))
    assert meaning(PAGES / f"{code}.md") == means.replace("\n", " ")
    assert not means.startswith("**")
    assert (when.startswith(PARTS[0]), todo.startswith(PARTS[1])) == (True, True)
    assert max(map(len, page.partition("```")[0].splitlines())) <= CHARACTERS_MAX


@pytest.mark.parametrize("code", sorted(there()))
def test_a_pages_example_is_such_a_problem_and_names_nobody(code: str) -> None:
    [shown] = blocks((PAGES / f"{code}.md").read_text("utf-8"), "json")
    answered, each = json.loads(shown), all_problems()[code]

    assert answered["type"] == f"/problems/{code}"
    assert not SIXTEEN_DIGITS.search(shown)
    if each.statuses:
        problem = Problem.model_validate(answered)
        assert (problem.title in each.titles, problem.status in each.statuses) == (True, True)
        assert json.loads(problem.model_dump_json(exclude_unset=True)) == answered


def test_a_problem_without_a_page_is_named() -> None:
    added = ProblemCode({409}, {"It does not fit."}, {"registry"})

    said = interfaces.drift(all_problems() | {"does-not-fit": added})

    assert any(each.startswith("docs/problems/does-not-fit.md is missing") for each in said)
    assert any("docs/problems/README.md" in each and "make contracts" in each for each in said)


def test_what_is_named_in_general_is_answered_somewhere() -> None:
    sources = Path("libs/chassis").rglob("*.py")
    text = "\n".join(path.read_text("utf-8") for path in sources)
    phrases = {"bad-request", "unauthorized", "not-found", "method-not-allowed"}
    for code, _ in GENERAL:
        assert code in phrases | {"internal-server-error"} or text.count(f'"{code}"') > 1
