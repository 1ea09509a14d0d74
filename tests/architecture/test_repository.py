"""The repository holds nothing of one machine, nothing too long, nothing unpinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, functions, parse, python_files, tracked_files

FUNCTION_LINES_MAX = 70
SOURCES = (
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

# Written so that this file does not match itself.
REGISTRIES = re.compile(
    r"py[p]i\.org|pythonho[s]ted|n[p]mjs\.org|mave[n]\.org|apache\.org/mave[n]|debia[n]\.org"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(hom[e]|roo[t]|wor[k])/|(?<![\w.$}])/tm[p]/\w")


def lines_that_match(pattern: re.Pattern[str], path: Path) -> list[str]:
    text = (ROOT / path).read_bytes().decode("utf-8", errors="replace")
    if not pattern.search(text):  # which is faster than line by line
        return []
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE_PATHS], ids=["registries", "paths"])
def test_no_file_names_a_registry_or_a_path_of_one_machine(pattern: re.Pattern[str]) -> None:
    found = [line for path in tracked_files() for line in lines_that_match(pattern, path)]

    assert not found


@pytest.mark.parametrize(
    "line", ["cp /hom" + "e/ana/x .", 'open("/tm' + 'p/keys")', "=/roo" + "t/.cache"]
)
def test_a_path_of_one_machine_is_recognised(line: str) -> None:
    assert MACHINE_PATHS.search(line)


@pytest.mark.parametrize("line", ["https://example.go.id/home/", "tmpfs: [/tmp]", "$HOME/work/x"])
def test_a_path_of_any_machine_is_allowed(line: str) -> None:
    assert not MACHINE_PATHS.search(line)


def test_a_function_fits_on_a_screen() -> None:
    files = python_files(*SOURCES, "tests")
    long = [path for path in files if (ROOT / path).read_bytes().count(b"\n") > FUNCTION_LINES_MAX]
    lengths = {
        f"{path}:{function.lineno} {function.name}": (function.end_lineno or 0)
        - function.lineno
        + 1
        for path in long
        for function in functions(parse(path))
    }

    assert not {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX}


def test_the_examples_say_where_their_region_codes_come_from() -> None:
    readme = (ROOT / "examples" / "README.md").read_text()

    assert re.search(r"idn-area-data.*Open Database License \(ODbL\) 1\.0", readme, re.DOTALL)
    for year in (ROOT / "examples").glob("*/families.csv"):
        assert f"`{year.parent.name}/`" in readme


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in ROOT.glob("*/*/migrations/*.sql")})
)
def test_migrations_of_a_database_are_numbered_one_after_another(folder: Path) -> None:
    numbers = sorted(int(path.name[:3]) for path in folder.glob("*.sql"))

    assert numbers == list(range(1, len(numbers) + 1))
