"""Files generated from the services' HTTP interfaces: their OpenAPI, the index of problems."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from libs.chassis.catalogue import catalogue
from libs.chassis.settings import Settings
from tools.contracts import problem_pages
from tools.contracts.problem_pages import ProblemCode

ROOT: Final = problem_pages.ROOT
CONTRACTS: Final = ROOT / "contracts"
OPENAPI: Final = CONTRACTS / "openapi"


def generate(problems: Mapping[str, ProblemCode] | None = None) -> Mapping[Path, str]:
    """{path: text} of every generated file as it should be, with these problems or the code's."""
    return {
        problem_pages.PAGES / problem_pages.INDEX: problem_pages.index(problems=problems),
        **{OPENAPI / f"{service}.json": openapi(service) for service in catalogue().names},
    }


@cache
def openapi(service: str) -> str:
    """A service's OpenAPI document as it is committed."""
    return json.dumps(application(service).openapi(), indent=1, ensure_ascii=False) + "\n"


def application(service: str, settings: Settings | None = None) -> Any:
    """A service's application; told nothing, it can describe itself and not be started."""
    # Found by name, as its contract is: this program looks at services and depends on none.
    described = importlib.import_module(f"services.{service}.main").SERVICE
    nothing = Settings(
        service=service,
        database_url="postgresql://nowhere/none",
        bus_url="postgresql://nowhere/none",
        issuers=(),
        contracts_dir=CONTRACTS,
    )
    return described.application(settings or nothing)


def drift(problems: Mapping[str, ProblemCode] | None = None) -> list[str]:
    """A sentence for each file that is missing or stale, and each problem without a page."""
    problems = problems or problem_pages.all_problems()
    generated = generate(problems)
    return [
        *(
            f"{_named(path)} is not what the code says; run: make contracts"
            for path, text in generated.items()
            if not path.exists() or path.read_text("utf-8") != text
        ),
        *(
            f"docs/problems/{code}.md is missing: say there what the problem means, when it "
            "happens and what to do, as the pages beside it do"
            for code in problems.keys() - problem_pages.there()
        ),
        *(
            f"{_named(path)} belongs to no service."
            for path in sorted(set(OPENAPI.glob("*.json")) - generated.keys())
        ),
        *(
            f"docs/problems/{code}.md tells of a problem that nobody gives."
            for code in problem_pages.there() - problems.keys()
        ),
    ]


def write() -> None:
    """Bring the generated files up to date."""
    OPENAPI.mkdir(exist_ok=True)
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")


def _named(path: Path) -> str:
    return str(path.relative_to(problem_pages.ROOT))
