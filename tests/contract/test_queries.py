"""No operation of any service passes over a query parameter that it does not take."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx
import pytest

from libs.chassis.catalogue import catalogue
from libs.chassis.dev_issuer import Issuer
from libs.chassis.settings import Settings
from tests.doors import operations
from tools.contracts import interfaces

UNKNOWN: Final = "no_such_parameter"


async def answers(service: str, directory: Path, query: str) -> dict[str, httpx.Response]:
    """The answer of every operation of a service to a query, from whoever has a good token."""
    settings = Settings(
        service=service,
        database_url="postgresql://nowhere/none",
        bus_url="postgresql://nowhere/none",
        issuers=Issuer.trusted_in(directory),
        contracts_dir=interfaces.CONTRACTS,
    )
    headers = {"Authorization": f"Bearer {Issuer.open(directory).token('anybody', (), ('*',))}"}
    app = interfaces.application(service, settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return {
            f"{method} {path}": await client.request(method, f"{path}?{query}", headers=headers)
            for method, path in operations(app)
        }


@pytest.mark.parametrize("service", catalogue().names)
async def test_every_operation_refuses_a_query_parameter_that_it_does_not_take(
    service: str, tmp_path: Path
) -> None:
    found = await answers(service, tmp_path, f"{UNKNOWN}=1")

    assert len(found) > 8
    for operation, answer in found.items():
        assert (operation, answer.status_code) == (operation, 422)
        [mistake] = answer.json()["errors"]
        assert mistake["loc"] == ["query", UNKNOWN]
