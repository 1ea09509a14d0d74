"""The banks of a test at a server of their own: real addresses, connections and certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn

from libs.chassis.dev_certificates import Authority
from libs.chassis.settings import partner_tls
from services.payments.main import POLICIES
from services.payments.partners.client import PARTNER_TIMEOUT_S, Outside
from services.payments.partners.files import Renderer
from services.payments.workers.partner_exchange import Exchange
from services.payments.workers.run_worker import Payer
from tests.integration.payments.office import PARTNERS, Office
from tests.integration.payments.world import World

HOST: Final = "127.0.0.1"
OF_THE_CONNECTION: Final = (b"host", b"content-length", b"transfer-encoding")
Pair = tuple[str, str]
"""A certificate and its key, in PEM."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Certificates of both sides, and the CA by which each knows the other."""

    bank: Pair
    bank_s_ca: str
    ours: Pair | None
    our_ca: str


def right_ones() -> tuple[Authority, Credentials]:
    """The partners' CA, and what it issued to the bank and to payments."""
    ca = Authority.make("Partners")
    bank, ours = ca.issue("bank", address=HOST), ca.issue("payments")
    return ca, Credentials(bank, ca.pem, ours, ca.pem)


@asynccontextmanager
async def bank_door(world: World, shown: Credentials, directory: Path) -> AsyncIterator[str]:
    """The banks' address, where a world answers whoever has a certificate of our CA."""
    certificate, key = _written(directory / "bank", shown.bank)
    ca = directory / "known-to-the-bank.pem"
    ca.write_text(shown.our_ca)
    config = uvicorn.Config(
        _answering(world),
        lifespan="off",
        log_config=None,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server((HOST, 0)) as listening:
        # Its own `serve` would take the signals that are for the tests.
        await server.startup([listening])
        turning = asyncio.create_task(server.main_loop())
        try:
            yield f"https://{HOST}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await turning
            await server.shutdown([listening])


@asynccontextmanager
async def payer_at(
    office: Office, banks: str, shown: Credentials, directory: Path
) -> AsyncIterator[Payer]:
    """A leader of payments that asks the banks at this address, by the settings of its service."""
    async with httpx.AsyncClient(
        transport=office.world,
        mounts={banks: httpx.AsyncHTTPTransport(verify=_tls(banks, shown, directory))},
        timeout=PARTNER_TIMEOUT_S,
    ) as client:
        partners, token = replace(PARTNERS, banks=banks), directory / "payments.token"
        outside = Outside(client, client, partners, token, office.world.keys)
        exchange = Exchange(office.store, Renderer(office.store, office.elsewhere.keys), outside)
        try:
            yield Payer(office.store, POLICIES, exchange)
        finally:
            await exchange.in_flight.aclose()


def _tls(banks: str, shown: Credentials, directory: Path) -> ssl.SSLContext:
    ca = directory / "known-to-us.pem"
    ca.write_text(shown.bank_s_ca)
    if shown.ours is None:  # whoever reaches the bank, for payments does not start so
        return ssl.create_default_context(cafile=ca)
    certificate, key = _written(directory / "payments", shown.ours)
    env = {
        "PKH_PARTNER_CA_FILE": str(ca),
        "PKH_CLIENT_CERTIFICATE_FILE": str(certificate),
        "PKH_CLIENT_KEY_FILE": str(key),
    }
    tls = partner_tls(env, {"bank": banks}, "kafka://broker:9092")
    assert tls is not None
    return tls.context


def _written(stem: Path, pair: Pair) -> tuple[Path, Path]:
    found = stem.with_suffix(".pem"), stem.with_suffix(".key")
    for path, text in zip(found, pair, strict=True):
        path.write_text(text)
    return found


def _answering(world: World) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """An application whose answers are the world's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = [each for each in scope["headers"] if each[0] not in OF_THE_CONNECTION]
        address = f"http://banks{scope['path']}"
        asked = httpx.Request(scope["method"], address, headers=headers, content=body)
        answer = await world.handle_async_request(asked)
        own = [(n.lower(), v) for n, v in answer.headers.raw]
        kept = [each for each in own if each[0] not in OF_THE_CONNECTION]
        begun = {"type": "http.response.start", "status": answer.status_code, "headers": kept}
        await send(begun)
        await send({"type": "http.response.body", "body": answer.content})

    return app
