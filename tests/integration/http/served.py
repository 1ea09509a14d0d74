"""Each service as a server of its own, with a little in its store, for requests of every kind."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import requests
import schemathesis
import uvicorn
from fastapi import FastAPI
from schemathesis.specs.openapi.schemas import OpenApiSchema
from starlette.types import ASGIApp
from urllib3 import HTTPConnectionPool

from libs.chassis.catalogue import catalogue
from libs.chassis.dev_issuer import Issuer
from libs.chassis.problems import MEDIA_TYPE
from libs.chassis.settings import Settings
from localstack.ports import free_ports
from services.p2k2.main import SERVICE as P2K2
from services.payments.contract import ANNOUNCED_TO
from tests.doors import YEAR, front_door, service_settings
from tests.integration.complaints.kit import COMPLAINT
from tests.integration.conditionality.kit import BAD, bench_at, families, months_of
from tests.integration.p2k2.kit import ANA, GROUP, MEETING, NUMBER
from tests.integration.p2k2.kit import bench_at as bench_of_p2k2
from tests.integration.p2k2.kit import post as step_of
from tests.integration.payments.houses import books_of, houses
from tests.integration.payments.office import MAKER, office_at
from tests.integration.payments.test_administrative_holds import TERMS, asked
from tests.integration.payments.world import NOTHING_UPSTREAM, World
from tests.integration.projection.test_pages import FAMILY, TAHAP, fill
from tests.integration.registry.kit import register_at
from tests.servers import Postgres
from tools.contracts.interfaces import OPENAPI, application

START_S_MAX: Final = 20.0
EXCEPTION: Final = {
    "reason": "DISASTER",
    "first_day": "2023-01-01",
    "last_day": "2023-03-31",
    "region": "61.03",
}
Places = dict[str, Any]
"""The value for each place of a path, so that something is there."""


@dataclass(frozen=True, slots=True)
class Served:
    """A service that answers at an address; `places` is what is there of it."""

    name: str
    url: str
    schema: OpenApiSchema
    document: Mapping[str, Any]
    token: str
    places: Places
    session: requests.Session
    pool: HTTPConnectionPool
    """Connections for what is asked thousands of times: a session takes longer than its answer."""

    def who(self) -> dict[str, str]:
        """The headers of somebody who may do everything everywhere."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **query: str) -> requests.Response:
        """The answer to a GET, once."""
        return self.session.get(f"{self.url}{path}", headers=self.who(), params=query, timeout=30)

    def post(
        self, path: str, headers: Mapping[str, str] | None = None, **sent: Any
    ) -> requests.Response:
        """The answer to a POST that is done, sent once."""
        headers = {**self.who(), "Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        answer = self.session.post(f"{self.url}{path}", headers=headers, timeout=60, **sent)
        assert answer.ok, answer.text
        return answer

    def decided_on(self, path: str) -> str | None:
        """The current ETag of what a path lies under; None where that has none."""
        above = [
            each
            for each, methods in self.document["paths"].items()
            if path.startswith(f"{each}/") and "304" in methods.get("get", {}).get("responses", {})
        ]
        if not above:
            return None
        return self.get(max(above, key=len).format_map(self.places)).headers.get("ETag")

    def documented(self, path: str, method: str, status: int) -> Mapping[str, Any]:
        """The problems by code that the description names for a status."""
        answers = self.document["paths"][path][method.lower()]["responses"]
        found: Mapping[str, Any] = answers[str(status)]["content"][MEDIA_TYPE]["examples"]
        return found


# -- What is there --------------------------------------------------------------------------------


async def of_registry(settings: Settings, _directory: Path) -> Places:
    """A closing that was announced, before there is a family."""
    async with register_at(settings) as register:
        await register.announce()
    return {"job": "import-5f2b", "tahap": "2023-1"}


async def of_conditionality(settings: Settings, _directory: Path) -> Places:
    """A family that has failed three times in a row."""
    [family] = islice(families(), 1)
    async with bench_at(settings) as bench:
        for tahap in ("2023-1", "2023-2", "2023-3"):
            await bench.school(family, BAD, months=months_of(tahap))
            await bench.take(bench.announced(tahap), bench.line(family, tahap))
    return {"family": family, "tahap": "2023-3", "correction": 1, "job": "evaluation-2023-1"}


async def of_payments(settings: Settings, directory: Path) -> Places:
    """A tahap that was paid, and one whose list can be frozen; somebody would hold a family."""
    village = houses(3)
    world = World(directory / "journals", {})
    async with office_at(settings, directory, world) as office:
        office.world.accounts.update(books_of(village))
        await office.paid(village)
        await office.arrived(village, "2023-2")
        proposed = await asked(office, MAKER, "make", "", TERMS, village[0])
        assert proposed.status_code == 204, proposed.text
    return {
        "tahap": "2023-2",
        "kind": "REGULAR",
        "family": village[0].family,
        "payment": village[0].payment(),
        "job": "run-2023-1-REGULAR",
    }


async def of_any(settings: Settings, _directory: Path) -> Places:
    """A replay that has ended."""
    connection = await asyncpg.connect(settings.bus_url)
    await connection.execute(
        """INSERT INTO replay (id, client, key, state, place, total)
           VALUES ('replay-1', 'operator-1', 'once', 'DONE', '["", "", 0, 0]', 0)"""
    )
    await connection.close()
    return {"family": FAMILY, "job": "replay-1"}


async def of_projection(settings: Settings, directory: Path) -> Places:
    """A few families."""
    await fill(settings.bus_url)
    named = {"tahap": TAHAP, "model": "coverage", "list": "cases"}
    return {**await of_any(settings, directory), **named}


async def of_p2k2(settings: Settings, directory: Path) -> Places:
    """A session that was held, at which a family was."""
    async with bench_of_p2k2(settings) as bench:
        await bench.take(bench.assigned(ANA), bench.designated(ANA))
    async with front_door(P2K2, settings, directory) as door:
        for step, body in (
            ("report", MEETING),
            ("attendance", {"marks": [{"family": ANA, "status": "H"}]}),
        ):
            answer = await step_of(door, step, body)
            assert answer.status_code == 204, answer.text
    there = {"family": ANA, "group": GROUP, "number": NUMBER}
    return {**await of_any(settings, directory), **there}


def others() -> FastAPI:
    """The questions of payments to every other service, answered by one."""
    app = FastAPI()

    @app.get("/positions")
    async def positions() -> dict[str, Any]:
        return asdict(NOTHING_UPSTREAM)

    @app.get("/rule-sets")
    async def rule_sets() -> dict[str, Any]:
        return {"rule_sets": [{"id": "2021-2024", "runs": True, "reason": None}]}

    @app.get("/families/{family}/money")
    async def money(family: str) -> dict[str, Any]:
        return {"family": family, "stopped": False, "under_way": []}

    return app


def with_others(settings: Settings, elsewhere: str) -> Settings:
    """The settings of a service with a token of its own, and others at an address."""
    token = Path(settings.issuers[0].keys).with_name("payments.token")
    token.write_text("a token")
    addresses = dict.fromkeys((*ANNOUNCED_TO, "payments", "treasury", "bank"), elsewhere)
    return replace(settings, service_token_file=token, addresses=addresses)


Fill = Callable[[Settings, Path], Awaitable[Places]]
FILLED: Final[Mapping[str, Fill]] = {
    "registry": of_registry,
    "conditionality": of_conditionality,
    "payments": of_payments,
    "projection": of_projection,
    "p2k2": of_p2k2,
}
SERVICES: Final = catalogue().names


async def _registered(served: Served, settings: Settings) -> Places:
    """Import a small year's families at the front door, and propose to erase one."""
    for kind in ("families", "members"):
        file = (YEAR / f"{kind}.csv").read_bytes()
        served.post(f"/imports/{kind}", data=file, headers={"Content-Type": "text/csv"})
    connection = await asyncpg.connect(settings.bus_url)
    family = await connection.fetchval("SELECT family::text FROM identity_family LIMIT 1")
    await connection.close()
    proposal = {"ground": "SUBJECT_REQUEST", "evidence": "BA-12/2023"}
    served.post(f"/erasures/{family}", json=proposal)
    [job, *_] = served.get("/jobs").json()["items"]
    return {"family": family, "job": job["id"]}


# Without a relay a service is not ready, and says so with 503.
NOT_READY: Final = "GET /ready"
# The same in every service; asked of one only.
SHARED: Final = ("health", "operations", "problems")


def operations() -> Iterator[tuple[str, str]]:
    """(service, "GET /path") of everything that can be asked for, what is shared once."""
    shared: set[str] = set()
    for service in SERVICES:
        for path, methods in json.loads((OPENAPI / f"{service}.json").read_text("utf-8"))[
            "paths"
        ].items():
            for method, operation in methods.items():
                label = f"{method.upper()} {path}"
                if label == NOT_READY:
                    continue
                if operation["tags"][0] not in SHARED or label not in shared:
                    yield service, label
                if operation["tags"][0] in SHARED:
                    shared.add(label)


# -- The server -----------------------------------------------------------------------------------


@contextmanager
def serving(app: ASGIApp, at: int | None = None) -> Iterator[str]:
    """The address at which an application answers, on a loop and a thread of its own; at a port
    that is free, or the one that is given."""
    [port] = [at] if at else free_ports(1)
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="on", ws="none")
    )
    thread = Thread(target=server.run, name=f"service at {port}", daemon=True)
    thread.start()
    try:
        end = time.monotonic() + START_S_MAX
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            assert time.monotonic() < end, "the service did not start in time"
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(START_S_MAX)


def pool_of(url: str) -> HTTPConnectionPool:
    """Connections to a service; each request is sent once, and no answer is followed."""
    where = urlsplit(url)
    return HTTPConnectionPool(str(where.hostname), where.port, timeout=30, retries=False)


@contextmanager
def served_by(postgres: Postgres, directory: Path, name: str) -> Iterator[Served]:
    """A service with a store of its own, filled."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        settings = runner.run(
            stack.enter_async_context(service_settings(postgres, directory, name))
        )
        try:
            places = runner.run(_awaited(FILLED.get(name, of_any)(settings, directory)))
            elsewhere = stack.enter_context(serving(others()))
            app = application(name, with_others(settings, elsewhere))
            with serving(app) as url, requests.Session() as session, pool_of(url) as pool:
                schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
                session.trust_env = False  # looked through for proxies, a request at a time
                document = app.openapi()
                token = Issuer.open(directory).token("fuzzer-1", scopes_of(document), ("*",))
                served = Served(name, url, schema, document, token, places, session, pool)
                if name == "registry":
                    places |= runner.run(_registered(served, settings))
                if name == "conditionality":
                    places |= served.post("/exceptions", json=EXCEPTION).json()
                if name == "complaints":
                    places |= {"case": served.post("/cases", json=COMPLAINT).json()["case"]}
                yield served
        finally:
            runner.run(stack.aclose())


def scopes_of(document: Mapping[str, Any]) -> list[str]:
    """Every scope that an operation needs."""
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    needs = [need for each in operations for need in each.get("security", ())]
    return sorted({scope for need in needs for named in need.values() for scope in named})


async def _awaited(filling: Awaitable[Places]) -> Places:
    return await filling
