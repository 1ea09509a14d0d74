"""Every operation of every service lets in whoever it declares, and nobody else: all cells of it.

Behind the guards stands no database: what is asked of it is noted, and answered as REACHED.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from fastapi import FastAPI

from libs.chassis.auth import NATION
from libs.chassis.catalogue import catalogue
from libs.chassis.dev_issuer import Issuer
from libs.chassis.limits import Limits
from libs.chassis.problems import Refusal
from libs.chassis.reads import READS
from libs.chassis.regions import region_ranges
from libs.chassis.settings import Settings
from libs.events.store.grouped_commands import Answered, GroupedCommand
from libs.events.store.handle import Loaded
from libs.events.store.model import Context
from libs.policy.roles import roles
from tests.contract.access import OPERATIONS, Access, Regions
from tests.doors import CONTEXT, ROOT, give_key
from tools.contracts import interfaces

VILLAGE: Final = "61.03.01.2026"
REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "own": ("61.03.01",),
    "other": ("11.01.01", "61.04.01"),
    "none": (),
    "nation": (NATION,),
}
PLACES: Final = {
    "family": str(UUID(int=1)),
    "payment": str(UUID(int=2)),
    "tahap": "2023-1",
    "kind": "REGULAR",
    "correction": "1",
    "exception": str(UUID(int=3)),
    "member": "1",
    "job": "listing-2023-1",
    "number": "S0000001",
    "group": "G6103012026-1",
    "case": str(UUID(int=3)),
    "model": "coverage",
    "list": "blocked",
}
QUERIES: Final = {
    "/unmet-cycles": "?tahap=2023-1",
    "/entitlements": "?tahap=2023-1",
    "/groups/{group}": "?year=2023",
    "/learning-families": "?year=2023",
    "/figures/{model}": "?tahap=2023-1",
    "/loads": "?year=2023",
    "/reads": "?subject=clerk-1&since=2023-01-01T00:00:00Z&until=2023-02-01T00:00:00Z",
}
SCOPES: Final = sorted(
    {scope for table in OPERATIONS.values() for access in table.values() for scope in access.scopes}
)
REACHED: Final = 418
LET_IN: Final = {REACHED, 200, 422}
"""The statuses of a request that passed every guard; a body without what is wanted is the 422."""


# -- Behind the guards ----------------------------------------------------------------------------


@dataclass
class Behind:
    """Whatever a handler asks first ends it, and is noted."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    context: Context = CONTEXT

    def __call__(self, *arguments: Any, **_more: Any) -> Any:
        self.asked.append(arguments)
        raise Refusal(REACHED, "reached", "The handler went on to what it works with.")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self


@dataclass
class Store:
    """A store in which every tahap is there, and nothing has happened to it."""

    behind: Behind

    def __getattr__(self, _name: str) -> Any:
        return self.behind

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Any]:
        yield self.behind

    async def read(self, kind: Any, streams: Sequence[str]) -> Mapping[str, Loaded[Any]]:
        if not all(stream.startswith("tahap-") for stream in streams):
            self.behind(streams)
        empty = kind.decider.initial
        return {stream: Loaded(1, empty, empty) for stream in streams}


@dataclass
class Reading:
    """Reads that note the ranges of the regions which they are within."""

    behind: Behind

    @asynccontextmanager
    async def within(
        self, regions: Sequence[str], _family: UUID | None = None
    ) -> AsyncIterator[Any]:
        self.behind(*region_ranges(regions))
        yield self.behind


@dataclass
class Records:
    """A committer that takes records of who reads, unless it has a fault, and nothing else."""

    behind: Behind
    noted: list[GroupedCommand[Any, Any, Any, Any]] = field(default_factory=list)
    fault: Exception | None = None

    async def append(self, grouped: GroupedCommand[Any, Any, Any, Any]) -> Answered[None]:
        if grouped.kind is not READS:
            self.behind(grouped)
        if self.fault is not None:
            raise self.fault
        self.noted.append(grouped)
        return Answered(None, None)


async def lives(_store: Any, _family: UUID, _on: date) -> str | None:
    return VILLAGE


@dataclass(frozen=True)
class Outcome:
    """Status and code of an answer, and what was asked behind the guards for it."""

    status: int
    kind: str
    asked: tuple[tuple[Any, ...], ...]


@dataclass
class Gatehouse:
    """A service's application with nothing behind it."""

    app: FastAPI
    token: Callable[..., str]
    behind: Behind
    records: Records

    async def ask(
        self,
        operation: str,
        scopes: Sequence[str],
        regions: Sequence[str],
        role: str | None = None,
        name: str = "somebody",
    ) -> Outcome:
        """The answer to somebody with these rights."""
        method, path = operation.split()
        place = path.format(**PLACES) + QUERIES.get(path, "")
        token = self.token(name, tuple(scopes), tuple(regions), role=role)
        headers = {
            "authorization": f"Bearer {token}",
            "idempotency-key": "once",
            "if-match": '"1"',
            "content-type": "text/csv" if "/imports/" in path else "application/json",
        }
        self.behind.asked.clear()
        self.records.noted.clear()
        status, content = await answered(self.app, method, place, headers)
        kind = json.loads(content).get("type", "").rpartition("/")[2]
        return Outcome(status, kind, tuple(self.behind.asked))


async def answered(
    app: FastAPI, method: str, place: str, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Status and body of the answer to a request; a POST sends an empty object.

    The application is called as a server calls it: a client takes longer than the guards.
    """
    path, _, query = place.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("service", 80),
    }
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}" if method == "POST" else b""}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], b"".join(message.get("body", b"") for message in said)


@pytest.fixture(scope="module")
def gatehouses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Gatehouse]:
    """The gatehouse of each service; made when it is first asked."""
    return cache(partial(gatehouse, tmp_path_factory.mktemp("issuer")))


def gatehouse(directory: Path, service: str) -> Gatehouse:
    give_key(directory)
    many = 1_000_000
    settings = Settings(
        service=service,
        database_url="postgresql://nowhere/none",
        bus_url="postgresql://nowhere/none",
        issuers=Issuer.trusted_in(directory),
        contracts_dir=ROOT / "contracts",
        limits=replace(
            Limits(),
            requests_a_second=many,
            requests_burst_max=many,
            refused_tokens_burst_max=many,
        ),
    )
    app, behind = interfaces.application(service, settings), Behind()
    app.state.lives, app.state.store, app.state.reading = lives, Store(behind), Reading(behind)
    for name in (
        "case_keys",
        "check_in_tokens",
        "csv_import",
        "excuses",
        "keys",
        "payees",
        "payments",
        "outside",
        "lists",
        "policies",
        "number_keys",
        "recognition",
        "look_ups",
        "spool",
    ):
        setattr(app.state, name, behind)
    app.state.committer = records = Records(behind)
    # To sign a token takes as long as to ask.
    return Gatehouse(app, cache(Issuer.open(directory).token), behind, records)


# -- Expected ----------------------------------------------------------------------------------


def expected(access: Access, scopes: frozenset[str], regions: str) -> tuple[int, str] | None:
    """The refusal of a cell; None where it is let in."""
    if access.scopes.isdisjoint(scopes):
        return 403, "scope-missing"
    if access.regions is Regions.NATION and regions != "nation":
        return 403, "region-not-yours"
    if access.regions is Regions.FAMILY and regions not in ("own", "nation"):
        return 404, "family-unknown"
    return None


def as_declared(result: Outcome, access: Access, scopes: frozenset[str], regions: str) -> bool:
    """True where somebody is refused, or let in and shown rows of their regions, as declared."""
    refusal = expected(access, scopes, regions)
    if refusal is not None:
        return (result.status, result.kind) == refusal and not result.asked
    if access.regions is Regions.ROWS:
        ranges = region_ranges(REGIONS[regions])
        return any(pair == ranges for asked in result.asked for pair in pairwise(asked))
    return result.status in LET_IN or access.regions is Regions.INSIDE


def askers(access: Access) -> Iterator[tuple[str, frozenset[str]]]:
    """Who asks for an operation: by no right, by every right but its own, by its own."""
    yield "no scope", frozenset()
    yield "all others", frozenset(SCOPES) - access.scopes
    for scope in sorted(access.scopes):
        yield scope, frozenset({scope})


def said(app: FastAPI) -> list[str]:
    """The operations that a service describes and that want a token."""
    paths = app.openapi()["paths"]
    return [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, described in methods.items()
        if "401" in described["responses"]
    ]


# -- The tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", catalogue().names)
def test_every_operation_says_what_it_asks_for(
    service: str, gatehouses: Callable[[str], Gatehouse]
) -> None:
    assert sorted(said(gatehouses(service).app)) == sorted(OPERATIONS[service])


@pytest.mark.parametrize("service", catalogue().names)
async def test_every_operation_lets_in_whom_it_declares_and_nobody_else(
    service: str, gatehouses: Callable[[str], Gatehouse]
) -> None:
    wrong: list[object] = []
    gate = gatehouses(service)
    for operation, access in OPERATIONS[service].items():
        for (who, scopes), where in product(askers(access), REGIONS):
            result = await gate.ask(operation, sorted(scopes), REGIONS[where])
            if not as_declared(result, access, scopes, where):
                wrong.append((operation, who, where, result))
    assert wrong == []


@pytest.mark.parametrize("service", catalogue().names)
async def test_every_operation_lets_in_whom_a_role_says_and_nobody_else(
    service: str, gatehouses: Callable[[str], Gatehouse]
) -> None:
    wrong: list[object] = []
    gate = gatehouses(service)
    for operation, access in OPERATIONS[service].items():
        for (name, role), where in product(roles().items(), REGIONS):
            answer = await gate.ask(operation, (), REGIONS[where], name)
            if role.holds(REGIONS[where]):
                right = as_declared(answer, access, frozenset(role.scopes), where)
            else:
                right = answer.status == 401
            if not right:
                wrong.append((operation, name, where, answer))
    assert wrong == []


@pytest.mark.parametrize("service", catalogue().names)
async def test_no_operation_lets_in_whoever_is_named_by_a_number(
    service: str, gatehouses: Callable[[str], Gatehouse]
) -> None:
    gate = gatehouses(service)
    answers = {
        (answer.status, answer.kind, answer.asked)
        for operation in OPERATIONS[service]
        for answer in [await gate.ask(operation, SCOPES, ("*",), name="6103014107900001")]
    }
    assert answers == {(401, "name-holds-number", ())}


def test_a_role_has_scopes_of_operations_alone() -> None:
    assert {scope for role in roles().values() for scope in role.scopes} <= {*SCOPES}


def test_what_is_looked_up_inside_is_shown_by_a_test() -> None:
    for table in OPERATIONS.values():
        for operation, access in table.items():
            assert (access.regions is Regions.INSIDE) == bool(access.shown_by), operation
            if access.shown_by:
                file, name = access.shown_by.split("::")
                found = (ROOT / "tests" / file).read_text()
                assert f"def {name}(" in found, access.shown_by
