"""What tests may change of the house, and in which words it speaks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import parse, python_files

OURS = ("libs", "services", "simulators", "cli", "deploy", "benchmarks")
DOTTED = tuple(f"{name}." for name in OURS)

# The tracer is the process's own, made when the module is imported.
PATCHED = {
    "tests/integration/events/test_traces.py": 2,
    "tests/unit/chassis/test_request.py": 1,
}


def patches(tree: ast.Module) -> Iterator[ast.Call]:
    """Every `setattr` of a fixture that changes a module, or a class in it, of ours."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS
        for alias in node.names
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".setattr"):
            changed = ast.unparse(call.args[0]).strip("'")
            if changed in imported or changed.startswith(DOTTED):
                yield call


def test_a_limit_of_ours_is_a_parameter_and_no_test_patches_it() -> None:
    found = {str(path): len([*patches(parse(path))]) for path in python_files("tests")}

    assert {path: count for path, count in found.items() if count} == PATCHED


def test_a_patch_is_noticed() -> None:
    named = ast.parse('monkeypatch.setattr("libs.events.verify.BLOCKS_A_STEP", 1)')
    imported = ast.parse("from libs.events import verify\nmonkeypatch.setattr(verify, 'X', 1)")
    others = ast.parse("import os\nmonkeypatch.setattr(os, 'fsync', fail)")

    assert [len([*patches(each)]) for each in (named, imported, others)] == [1, 1, 0]
