"""The files of this house, as the architecture tests see them."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("libs", "services", "console", "simulators", "localstack", "cli", "tools")


@cache
def tracked_files() -> tuple[Path, ...]:
    """The files that git tracks or would add; relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted(Path(name) for name in names if name and (ROOT / name).is_file()))


def python_files(*tops: str) -> list[Path]:
    """The Python files under these top directories; relative to the root."""
    return [path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in tops]


def holding(paths: Iterable[Path], *texts: str) -> list[Path]:
    """The files in which one of these texts stands: to read one is faster than to parse it."""
    whole = re.compile("|".join(map(re.escape, texts)))
    return [path for path in paths if whole.search((ROOT / path).read_text(encoding="utf-8"))]


def parse(path: Path) -> ast.Module:
    """The syntax tree of a file, relative to the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def service_names() -> list[str]:
    """The services that exist."""
    return sorted({path.parts[1] for path in python_files("services") if len(path.parts) > 2})


def domain_files() -> list[Path]:
    """The modules that decide or explain: all that stands in a service's domain or explanation."""
    return [
        path
        for path in python_files("services")
        if len(path.parts) > 2 and path.parts[2] in ("domain", "explanation")
    ]
