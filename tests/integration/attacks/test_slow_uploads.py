"""One clerk sends many files as slowly as it goes; the database stays everybody's."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest_asyncio

from libs.chassis.dev_issuer import Issuer
from libs.chassis.limits import Limits
from services.registry.main import SERVICE
from tests.doors import service_settings
from tests.integration.http.served import serving
from tests.integration.registry.kit import IMPORT, as_csv, family
from tests.servers import Postgres

UPLOADS: Final = 12
LIMITS: Final = Limits(body_grace_s=5, uploads_per_client_max=10)
ENDS_S_MAX: Final = 30.0
DRIP_S: Final = 0.1
CARDS: Final = [f"61030101010{number:05}" for number in range(20)]


@pytest_asyncio.fixture
async def url(postgres: Postgres, tmp_path: Path) -> AsyncIterator[str]:
    async with service_settings(postgres, tmp_path, "registry") as settings:
        app = SERVICE.application(replace(settings, limits=LIMITS))
        with serving(app) as address:
            yield address


def headers_of(clerk: str, key: str, directory: Path) -> dict[str, str]:
    """The headers of a clerk who sends a file."""
    token = Issuer.open(directory).token(clerk, [IMPORT], ["*"])
    return {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": key,
        "Content-Type": "text/csv",
    }


async def drips(url: str, headers: dict[str, str]) -> str:
    """Send a file of which a byte comes now and then, and no end; the problem that it ends in."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    lines = ["POST /imports/families HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    said = b""
    try:
        async with asyncio.timeout(ENDS_S_MAX):
            while not said.endswith(b"}"):
                writer.write(b"1\r\nx\r\n")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRIP_S):
                        said += await reader.read(65_536)
    finally:
        writer.transport.abort()
    problem: str = json.loads(said.partition(b"\r\n\r\n")[2])["type"]
    return problem


async def test_many_slow_uploads_of_one_clerk_keep_nobody_from_the_database(
    url: str, tmp_path: Path
) -> None:
    slow = [headers_of("clerk-1", f"slow-{number}", tmp_path) for number in range(UPLOADS)]
    sending = [asyncio.create_task(drips(url, headers)) for headers in slow]
    try:
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        async with httpx.AsyncClient(base_url=url, timeout=ENDS_S_MAX) as other:
            taken = await other.post(
                "/imports/families",
                headers=headers_of("clerk-2", "file", tmp_path),
                content=as_csv("families", map(family, CARDS)),
            )
        still_sending = sum(not each.done() for each in sending)
        problems = await asyncio.gather(*sending)
    finally:
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    assert (taken.status_code, still_sending) == (200, LIMITS.uploads_per_client_max)
    assert Counter(problems) == {
        "/problems/body-too-slow": LIMITS.uploads_per_client_max,
        "/problems/too-many-uploads": UPLOADS - LIMITS.uploads_per_client_max,
    }
