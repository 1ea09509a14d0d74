"""The field's pages with the services that take what is entered there: sessions and complaints."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from libs.chassis.dev_issuer import Issuer
from libs.chassis.settings import Settings
from services.complaints.main import SERVICE as COMPLAINTS
from services.p2k2.main import SERVICE as P2K2
from tests.doors import service_settings
from tests.integration.console.kit import ServedConsole, served_console
from tests.integration.http.served import serving
from tests.integration.p2k2.kit import (
    ANA,
    BUDI,
    CITRA,
    MEETING,
    NUMBER,
    OTHER_GROUP,
    bench_at,
)
from tests.servers import Postgres

PLANNED: Final = "S0000002"
FAMILIES: Final = (ANA, BUDI)
"""Of GROUP; CITRA is of another one."""


@dataclass(frozen=True, slots=True)
class ServedField:
    """A console whose field pages have services behind them."""

    console: ServedConsole
    p2k2: str
    complaints: str
    issuer: Issuer

    @property
    def url(self) -> str:
        """The field's page."""
        return f"{self.console.url}/console/field"

    def asked(self, service: str, path: str) -> Any:
        """The answer of a service to somebody who may read everything."""
        scopes = ("p2k2:read", "complaints:read", "complaints:identify")
        who = {"Authorization": f"Bearer {self.issuer.token('reader-1', scopes, ('*',))}"}
        answer = httpx.get(f"{service}{path}", headers=who, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def said(self, path: str, body: object, **headers: str) -> httpx.Response:
        """The answer of p2k2 to a clerk of the nation."""
        token = self.issuer.token("clerk-1", ("p2k2:record", "p2k2:read"), ("*",))
        who = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        return httpx.post(
            f"{self.p2k2}{path}", headers={**who, **headers}, json=body, trust_env=False, timeout=30
        )

    def version(self, path: str) -> str:
        """The ETag of what p2k2 has at a path."""
        token = self.issuer.token("reader-1", ("p2k2:read",), ("*",))
        who = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{self.p2k2}{path}", headers=who, trust_env=False, timeout=30)
        return answer.headers["etag"]

    def marks(self, number: str = NUMBER) -> dict[str, str]:
        """The attendance of a session, as p2k2 has it."""
        return {
            mark["family"]: mark["status"]
            for mark in self.asked(self.p2k2, f"/sessions/{number}")["marks"]
        }

    def cases(self) -> list[dict[str, Any]]:
        """All complaints that were received."""
        items: list[dict[str, Any]] = self.asked(self.complaints, "/cases")["items"]
        return items


@contextmanager
def served_field(postgres: Postgres, directory: Path) -> Iterator[ServedField]:
    """The field's pages, a group of two families, a session that was held and a planned one."""
    with asyncio.Runner() as runner, ExitStack() as servers:
        stack = AsyncExitStack()

        def settings_of(service: str) -> Settings:
            return runner.run(
                stack.enter_async_context(service_settings(postgres, directory, service))
            )

        try:
            of_p2k2, of_complaints = settings_of("p2k2"), settings_of("complaints")
            runner.run(_assigned(of_p2k2))
            p2k2 = servers.enter_context(serving(P2K2.application(of_p2k2)))
            complaints = servers.enter_context(serving(COMPLAINTS.application(of_complaints)))
            addresses = {"p2k2": p2k2, "complaints": complaints}
            console = servers.enter_context(
                served_console(postgres, directory, addresses=addresses, filled=False)
            )
            served = ServedField(console, p2k2, complaints, Issuer.open(directory))
            _sessions(served)
            yield served
        finally:
            servers.close()
            runner.run(stack.aclose())


async def _assigned(settings: Settings) -> None:
    async with bench_at(settings) as bench:
        for family in FAMILIES:
            await bench.take(bench.assigned(family), bench.designated(family))
        await bench.take(
            bench.assigned(CITRA, OTHER_GROUP, facilitator="PD610399"), bench.designated(CITRA)
        )


def _sessions(served: ServedField) -> None:
    held = served.said(f"/sessions/{NUMBER}/report", MEETING)
    plan = meeting(on="2023-02-02", session=2, venue="Balai desa")
    planned = served.said(f"/sessions/{PLANNED}/plan", plan)
    assert (held.status_code, planned.status_code) == (204, 204), held.text + planned.text


def meeting(**changes: Any) -> dict[str, Any]:
    """A meeting of the group, as it is planned or reported."""
    return {**MEETING, **changes}
