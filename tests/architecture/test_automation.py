"""Files that other programs read: the workflow, the hooks, the one version."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any

import pytest
import yaml

from libs.chassis.version import VERSION
from tests.architecture.tree import ROOT, tracked_files

WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
JOB: dict[str, Any] = WORKFLOW["jobs"]["run"]
HOOKS: list[dict[str, Any]] = [
    hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repository["hooks"]
]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
KEPT_AS_THEY_CAME = ("examples", "contracts")


def test_every_supported_python_is_in_the_matrix() -> None:
    supported = [
        each.rpartition(" ")[2]
        for each in PROJECT["project"]["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", each)
    ]

    assert JOB["strategy"]["matrix"]["python"] == supported
    assert PROJECT["project"]["requires-python"] == f">={supported[0]}"


def test_actions_are_pinned_by_commit() -> None:
    used = [step["uses"] for step in JOB["steps"] if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)


def test_the_workflow_runs_what_a_change_must_pass_and_may_only_read() -> None:
    assert ".ci/run" in [step.get("run") for step in JOB["steps"]]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_hooks_are_programs_of_the_lock() -> None:
    assert HOOKS
    for hook in HOOKS:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


@pytest.mark.parametrize("program", ["ruff format", "ruff check", "mypy", "lint-imports"])
def test_what_make_check_runs_is_a_hook(program: str) -> None:
    assert f"$(BIN)/{program}" in (ROOT / "Makefile").read_text()
    assert any(hook["entry"].startswith(f".venv/bin/{program}") for hook in HOOKS)


def test_the_version_stands_in_one_place() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "libs.chassis.version.VERSION"
    }
    compose = (ROOT / "docker-compose.yml").read_text()
    tags = re.findall(r"pkh-platform[\w-]*:([0-9][\w.-]*)", compose)
    assert set(tags) == {VERSION}
    assert re.search(r"^## \[(Unreleased|" + re.escape(VERSION) + r")\]", changelog(), re.MULTILINE)


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text()


def test_the_changelog_says_a_thing_once() -> None:
    entries = re.findall(r"^- .*(?:\n  .*)*", changelog(), re.MULTILINE)

    assert len(entries) > 30
    assert sorted({*entries}) == sorted(entries)


def test_every_decision_is_listed_once_and_a_gap_is_told() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    listed = re.findall(r"^\| \[(\d{4})\]\(decisions/\1-", index, re.MULTILINE)
    files = [path.name[:4] for path in tracked_files() if path.parts[:2] == ("docs", "decisions")]
    missing = {f"{number:04}" for number in range(1, int(max(files)) + 1)} - {*files}

    assert listed == sorted(files)
    assert all(f"The number {number} was not used" in index for number in missing)


@pytest.mark.parametrize(
    "package", ["libs", "services", "console", "simulators", "localstack", "cli"]
)
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_text_ends_with_a_line_end_and_has_no_space_before_one() -> None:
    kept = [
        path
        for path in tracked_files()
        if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".sql"}
        and path.parts[0] not in KEPT_AS_THEY_CAME
    ]
    texts = {path: (ROOT / path).read_bytes() for path in kept}

    assert [path for path, text in texts.items() if text and not text.endswith(b"\n")] == []
    assert [path for path, text in texts.items() if re.search(rb"[ \t\r]\n", text)] == []
