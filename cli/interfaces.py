"""What is generated from the services' HTTP interfaces: their OpenAPI, the index of problems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cli import problem_pages


def generate() -> Mapping[Path, str]:
    """{path: text} of every generated file as it should be."""
    return {problem_pages.PAGES / problem_pages.INDEX: problem_pages.index()}


def drift() -> list[str]:
    """A sentence for each file that is missing or stale, and each problem without a page."""
    return [
        *(
            f"{_named(path)} is not what the code says; run: make contracts"
            for path, text in generate().items()
            if not path.exists() or path.read_text("utf-8") != text
        ),
        *(
            f"docs/problems/{code}.md is missing: say there what the problem means, when it "
            "happens and what to do, as the pages beside it do"
            for code in problem_pages.known().keys() - problem_pages.there()
        ),
        *(
            f"docs/problems/{code}.md tells of a problem that nobody gives."
            for code in problem_pages.there() - problem_pages.known().keys()
        ),
    ]


def write() -> None:
    """Bring the generated files up to date."""
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")


def _named(path: Path) -> str:
    return str(path.relative_to(problem_pages.ROOT))
