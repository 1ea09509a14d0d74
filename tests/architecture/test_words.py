"""The words of the house, and the things of it that a test may change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT, parse, python_files, tracked_files

OURS = (
    "libs",
    "services",
    "console",
    "simulators",
    "localstack",
    "cli",
    "tools",
    "deploy",
    "benchmarks",
)
DOTTED = tuple(f"{name}." for name in OURS)

# The tracer is the process's own, made when the module is imported.
PATCHED = {
    "tests/integration/events/test_traces.py": 2,
    # A card of before the limit, which no door takes any more.
    "tests/integration/registry/test_withheld_families.py": 1,
    "tests/unit/chassis/test_middleware.py": 1,
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words that this file looks at in a module; `questions` are docstrings that ask one."""

    patches: int
    questions: tuple[str, ...]
    private: tuple[str, ...]


@cache
def words_of(path: Path) -> Words:
    """The words of a file, which is parsed once for all tests of this file."""
    nodes = [*ast.walk(parse(path))]
    questions = [text for text in docstrings(nodes) if QUESTION.match(text)]
    return Words(len([*patches(nodes)]), tuple(questions), tuple(private_words(nodes)))


def nodes_of(source: str) -> list[ast.AST]:
    return [*ast.walk(ast.parse(source))]


def patches(nodes: Sequence[ast.AST]) -> Iterator[ast.Call]:
    """Every `setattr` of a fixture that changes a module, or a class in it, of ours."""
    imported = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS
        for alias in node.names
    }
    for call in nodes:
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr == "setattr":
            changed = ast.unparse(call.args[0]).strip("'")
            if changed in imported or changed.startswith(DOTTED):
                yield call


def test_a_limit_of_ours_is_a_parameter_and_no_test_patches_it() -> None:
    found = {str(path): words_of(path).patches for path in python_files("tests")}

    assert {path: count for path, count in found.items() if count} == PATCHED


def test_a_patch_is_noticed() -> None:
    named = nodes_of('monkeypatch.setattr("libs.events.store.verify.BLOCKS_A_STEP", 1)')
    imported = nodes_of("from libs.events.store import verify\nmonkeypatch.setattr(verify, 'X', 1)")
    others = nodes_of("import os\nmonkeypatch.setattr(os, 'fsync', fail)")

    assert [len([*patches(each)]) for each in (named, imported, others)] == [1, 1, 0]


QUESTION = re.compile(r"(What|How|Whether)\b")
CAN_NOT = re.compile(r"\bcan not\b(?! only)", re.IGNORECASE)


def docstrings(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Every docstring of a module, those behind a constant or a field included."""
    for node in nodes:
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text
            case _:
                pass


def opened_by_a_question(*tops: str) -> list[str]:
    return [
        f"{path}: {text.splitlines()[0]}"
        for path in python_files(*tops)
        for text in words_of(path).questions
    ]


def test_a_docstring_opens_with_its_subject() -> None:
    assert opened_by_a_question(*OURS, "examples", "tests") == []


def test_cannot_is_one_word() -> None:
    texts = [path for path in tracked_files() if path.suffix in {".py", ".md"}]

    assert [path for path in texts if CAN_NOT.search((ROOT / path).read_text())] == []


# None of these says what the thing is: the trade's word or the thing's own name does.
PRIVATE_WORDS = frozenset(
    {"told", "appender", "service_settings", "leftovers", "tokenizer", "intake"}
    | {"each", "known", "said", "kept", "place"}
)
# What an explanation answers over HTTP keeps the name that it was published with.
PUBLISHED = {"services/projection/explanation/answer.py": ["Known", "known"]}


def private_words(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """The variables, parameters, attributes, functions and classes of those names in a module."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                pass
            case ast.Attribute(attr=name, ctx=ast.Store()):
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                pass
            case ast.ClassDef(name=name) | ast.MatchAs(name=str(name)):
                pass
            case _:
                continue
        if name.strip("_").lower() in PRIVATE_WORDS:
            yield name


def test_a_name_says_what_a_thing_is() -> None:
    found = {str(path): [*words_of(path).private] for path in python_files(*OURS)}

    assert {path: names for path, names in found.items() if names} == PUBLISHED


def test_tests_say_settings_result_or_explanation_and_not_told() -> None:
    found = {str(path): words_of(path).private for path in python_files("tests")}

    assert [path for path, names in found.items() if {*names} & {"told", "_told"}] == []


def test_a_name_that_hides_a_thing_is_noticed() -> None:
    planted = nodes_of("def _told(told): self.told = told\nsettings = [each for each in told]")

    assert [*private_words(planted)] == ["_told", "told", "told", "each"]
