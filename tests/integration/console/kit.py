"""A console that people sign in to: projection with a sample year in it, and the local sign-in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx

from cli.client.year import read_calendar, rows
from libs.chassis.dev_issuer import ISSUER, Issuer
from libs.chassis.dev_sign_in import DevSignIn
from libs.chassis.settings import Settings
from libs.chassis.sign_in import SignIn
from libs.events.bus import Record
from localstack.ports import free_ports
from services.projection.contract import (
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    TAHAP_TOPIC,
)
from services.projection.main import SERVICE
from tests.doors import YEAR, service_settings
from tests.integration.http.served import serving
from tests.integration.projection.kit import Desk, desk_at
from tests.servers import Postgres

NATION: Final = "pusat-1"
REGENCY: Final = "sanggau-1"
"""Sees 61.03 alone."""
ELSEWHERE: Final = "aceh-1"
"""Sees a province in which no family of the sample year lives."""


@dataclass(frozen=True, slots=True)
class ServedConsole:
    """A console at an address, and the local sign-in of whoever opens it."""

    url: str
    settings: Settings
    family: str
    """A family of 61.03 that was paid in the latest tahap."""

    def client(self) -> httpx.Client:
        """A browser without scripts that follows nothing by itself."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    @contextmanager
    def signed_in(self, person: str) -> Iterator[httpx.Client]:
        """A browser in which somebody has signed in as a person does."""
        with self.client() as client:
            back = client.get(picked(client.get("/console/sign-in"), person))
            assert back.status_code == 303, back.text
            yield client


def picked(begun: httpx.Response, person: str) -> str:
    """The address to which the sign-in sends whoever picks a person, from where it was begun."""
    asked = {k: v for k, [v] in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    origin = begun.headers["location"].partition("/authorize")[0]
    answer = httpx.post(
        f"{origin}/authorize", data={**asked, "person": person}, trust_env=False, timeout=30
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@contextmanager
def served_console(
    postgres: Postgres,
    directory: Path,
    addresses: Mapping[str, str] | None = None,
    *,
    filled: bool = True,
) -> Iterator[ServedConsole]:
    """The console, its database `filled` with a sample year by messages as they come; `addresses`
    of other services that its pages ask."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        settings = runner.run(
            stack.enter_async_context(service_settings(postgres, directory, "projection"))
        )
        try:
            if filled:
                runner.run(_filled(settings))
            sign_in, console = (f"http://127.0.0.1:{port}" for port in free_ports(2))
            sign_in_at = SignIn(console, ISSUER, f"{sign_in}/authorize", f"{sign_in}/token")
            # Projection answers as registry too, so that a page has another service to ask.
            others = addresses if addresses is not None else {"registry": console}
            settings = replace(settings, sign_in=sign_in_at, addresses=others)
            local = DevSignIn(Issuer.open(directory), sign_in_at.returns_to).application()
            with serving(local, urlsplit(sign_in).port) as _:
                app = SERVICE.application(settings)
                with serving(app, urlsplit(console).port) as url:
                    yield ServedConsole(url, settings, family_in("61.03"))
        finally:
            runner.run(stack.aclose())


def of_database(console: ServedConsole, statement: str, *values: Any) -> list[Any]:
    """The rows of a statement, as the owner of the database."""

    async def asked() -> list[Any]:
        connection = await asyncpg.connect(console.settings.bus_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    return asyncio.run(asked())


def family_of(card: str) -> str:
    """The family of a card, the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, card))


def entitlements() -> Iterator[dict[str, str]]:
    """The rows that the sample year comes to, with the tahap's id."""
    ids = {str(tahap.number): tahap.id for tahap in read_calendar(YEAR)}
    for _, row in rows(YEAR / "expected" / "entitlements.csv"):
        yield {**row, "tahap": ids[row["tahap"]]}


def family_in(region: str) -> str:
    """A family of a region that was paid in the latest tahap."""
    found = [
        row["no_kk"]
        for row in entitlements()
        if row["region_code"].startswith(region) and row["disposition"] == "PAID"
    ]
    return family_of(found[-1])


async def _filled(settings: Settings) -> None:
    async with desk_at(settings) as desk:
        await desk.take(*_said(desk))


def _said(desk: Desk) -> Iterator[Record]:
    for tahap in read_calendar(YEAR):
        announced = {"tahap": tahap.id, "months": list(tahap.months)}
        yield desk.said(TAHAP_TOPIC, "ClosingAnnounced", **announced)
    judged: set[str] = set()
    for row in entitlements():
        if row["no_kk"] not in judged:
            judged.add(row["no_kk"])
            yield _judged(desk, row)
        yield from _of_row(desk, row)


def _judged(desk: Desk, row: Mapping[str, str]) -> Record:
    about = {"family": family_of(row["no_kk"]), "tahap": row["tahap"]}
    return desk.said(FAMILY_TOPIC, "FamilyDesignated", region=row["region_code"], **about)


def _of_row(desk: Desk, row: Mapping[str, str]) -> Iterator[Record]:
    about = {"family": family_of(row["no_kk"]), "tahap": row["tahap"]}
    if row["disposition"] == "GRADUATED_NATURAL":
        yield desk.said(FAMILY_TOPIC, "FamilyGraduated", region=row["region_code"], **about)
        return
    paid: dict[str, Any] = {**about, "payment": str(uuid.uuid4())}
    amount = int(row["amount"])
    valid = row["disposition"] != "NO_VALID_PAYEE"
    if row["commitment"]:
        yield desk.said(COMMITMENT_TOPIC, "CycleEvaluated", result=row["commitment"], **about)
    yield desk.said(
        PAYMENT_TOPIC,
        "PaymentEntitled",
        region=row["region_code"],
        amount=amount,
        payee_valid=valid,
        **paid,
    )
    if row["account_check"] not in ("", "OK"):
        yield desk.said(PAYMENT_TOPIC, "AccountCheckFailed", code=row["account_check"], **paid)
    elif row["transfer"] == "CREDITED":
        hold = "HELD" if row["disposition"].startswith("BLOCKED") else "NONE"
        yield desk.said(PAYMENT_TOPIC, "PaymentCredited", amount=amount, hold=hold, **paid)
    elif row["transfer"]:
        yield desk.said(
            PAYMENT_TOPIC, "TransferFailed", amount=amount, code=row["transfer"], **paid
        )
