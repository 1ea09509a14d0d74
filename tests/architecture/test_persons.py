"""Two people are two by `same_person` alone: a comparison by hand takes Ana and ana for two."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.tree import holding, parse, python_files

PERSONS: Final = frozenset(
    {
        *("maker", "checker", "proposer", "approver", "decider", "confirmer", "subject", "actor"),
        *("by", "recorded_by", "proposed_by", "approved_by", "decided_by", "cancelled_by"),
        *("confirmed_by", "recorders", "actors"),
    }
)
"""The attributes and names that hold who somebody is; `by` as an attribute only."""

BY_HAND: Final = {
    "libs/events/store/group_commit.py": "commands of one actor share a block that names one"
}
"""The files that compare names byte by byte, each with why that makes nobody two people."""


def comparisons(tree: ast.Module) -> Iterator[ast.Compare]:
    """Every comparison of a person's name with another value that is no constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
            sides = [node.left, *node.comparators]
            if any(map(_names_a_person, sides)) and not any(map(_is_constant, sides)):
                yield node


def _names_a_person(side: ast.expr) -> bool:
    match side:
        case ast.Attribute(attr=name):
            return name in PERSONS
        case ast.Name(id=name):
            return name in PERSONS - {"by"}
        case ast.Tuple(elts=several) | ast.Set(elts=several) | ast.List(elts=several):
            return any(map(_names_a_person, several))
        case ast.SetComp(elt=one) | ast.ListComp(elt=one) | ast.GeneratorExp(elt=one):
            return _names_a_person(one)
        case _:
            return False


def _is_constant(side: ast.expr) -> bool:
    return isinstance(side, ast.Constant)


def test_nobody_compares_two_persons_by_hand() -> None:
    naming = holding(python_files("libs", "services"), *PERSONS - {"by"}, ".by")
    found = {str(path): [*comparisons(parse(path))] for path in naming}

    assert {path for path, nodes in found.items() if nodes} == set(BY_HAND)


@pytest.mark.parametrize(
    "planted",
    [
        "proposal.maker == command.checker",
        "maker != checker",
        "command.approver in proposed.recorded_by",
        "command.checker in {late.recorded_by for late in reopening.late}",
        "wanted.by in (None, begun.by)",
        "found.by == asker.subject",
    ],
)
def test_a_comparison_by_hand_is_found(planted: str) -> None:
    assert [*comparisons(ast.parse(planted))]


@pytest.mark.parametrize(
    "other", ['actor == ""', "by == owner", "maker is None", "same_person(maker, checker)"]
)
def test_nothing_else_is(other: str) -> None:
    assert not [*comparisons(ast.parse(other))]
