"""The problems that the services can answer, as their code has them, and the index of their pages.

A code is the last part of a problem's `type`: a literal where a `Refusal` is raised, or the name of
a `DomainError` class. Each has a page, docs/problems/<code>.md.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from libs.chassis.problems import GENERAL, kebab, status_of, title_of
from libs.events.domain.errors import DomainError

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = ROOT / "docs" / "problems"
INDEX: Final = "README.md"
TYPE: Final = re.compile(r"/problems/([a-z-]+)")
EVERY_SERVICE: Final = "every service"


@dataclass(slots=True)
class ProblemCode:
    """A problem: its statuses, the titles that it comes with, and which services give it."""

    statuses: set[int] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)

    def note(self, status: int | None, title: str, service: str) -> None:
        """One place that gives it; `status` is None where a job tells of it."""
        self.statuses |= {status} if status else set()
        self.titles.add(title)
        self.services.add(service)

    @property
    def given_by(self) -> str:
        """Who gives it, in words."""
        own = {EVERY_SERVICE} if EVERY_SERVICE in self.services else self.services
        return ", ".join(sorted(own))

    def heading(self, code: str) -> str:
        """The line under a page's title."""
        return f"`/problems/{code}` · {self.status_text} · {self.given_by}"

    @property
    def status_text(self) -> str:
        """Its statuses in words."""
        return " or ".join(str(status) for status in sorted(self.statuses)) or "told of a job"


@cache
def all_problems() -> dict[str, ProblemCode]:
    """{code: what the code says of it} of everything that can be answered."""
    found: dict[str, ProblemCode] = {}
    for code, status in GENERAL:
        found.setdefault(code, ProblemCode()).note(status, title_of(code), EVERY_SERVICE)
    for code, given_status, service in _refusals():
        found.setdefault(code, ProblemCode()).note(given_status, title_of(code), service)
    for error in _errors():
        title = inspect.cleandoc(error.__doc__ or "").splitlines()[0]
        code = kebab(error.__name__)
        found.setdefault(code, ProblemCode()).note(
            status_of(error), title, _owner(error.__module__)
        )
    return dict(sorted(found.items()))


def _refusals() -> Iterator[tuple[str, int | None, str]]:
    """(code, status, service) of every `Refusal(status, "code", ...)` in the sources, and of every
    type that stands there written out, which has no status."""
    for top in ("libs", "services"):
        for path in sorted((ROOT / top).rglob("*.py")):
            owner = _owner(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Name(id="Refusal") | ast.Attribute(attr="__init__"),
                        args=[ast.Constant(value=int(status)), ast.Constant(value=str(code)), *_],
                    ):
                        yield code, status, owner
                    case ast.Constant(value=str(text)) if found := TYPE.fullmatch(text):
                        yield found[1], None, owner


def _errors() -> list[type[DomainError]]:
    """Every class of refusals that services and libraries derive from `DomainError`."""
    for top in ("libs", "services"):
        package = importlib.import_module(top)
        for module in pkgutil.walk_packages(package.__path__, f"{top}."):
            importlib.import_module(module.name)
    derived = _derived(DomainError)
    return [error for error in derived if error.__module__.split(".")[0] in ("libs", "services")]


def _derived(error: type[Any]) -> list[type[Any]]:
    own = error.__subclasses__()
    return own + [inner for derived in own for inner in _derived(derived)]


def _owner(module: str) -> str:
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "services" else EVERY_SERVICE


# -- The index ------------------------------------------------------------------------------------

_HEAD: Final = """# Problems

Every answer other than the wanted one is a problem as of RFC 9457. Its `type` is
`/problems/<code>`, which every service resolves to the page below; `instance` is the request's id,
to be found in the log. No problem repeats what was sent.

Written by `make contracts` from the code and the pages.

| code | status | means | given by |
|---|---|---|---|
"""


def index(pages: Path = PAGES, problems: Mapping[str, ProblemCode] | None = None) -> str:
    """The list of all problems (None: those of the code), with what each page says it means."""
    rows = [
        f"| [{code}]({code}.md) | {problem.status_text} "
        f"| {meaning(pages / f'{code}.md')} | {problem.given_by} |\n"
        for code, problem in (problems or all_problems()).items()
    ]
    return _HEAD + "".join(rows)


def meaning(page: Path) -> str:
    """The sentence of a page that says what its problem means; nothing where there is no page."""
    if not page.exists():
        return ""
    return page.read_text("utf-8").split("\n\n")[2].replace("\n", " ").strip()


def there() -> set[str]:
    """The codes that have a page."""
    return {path.stem for path in PAGES.glob("*.md") if path.name != INDEX}
