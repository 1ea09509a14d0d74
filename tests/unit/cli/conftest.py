"""A platform that answers from a table of functions, in place of the services' processes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt

from cli.client import Connected
from cli.issuer import Issuer

Handler = Callable[[httpx.Request], httpx.Response]


class FakePlatform:
    """Remembers what it was asked, and answers each (method, path) by a function of ours."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.answers: dict[tuple[str, str], Handler] = {}
        self.asked: list[httpx.Request] = []

    def when(self, method: str, url: str, answer: Handler | httpx.Response) -> None:
        """Answer requests for "service/path"."""
        told = answer if callable(answer) else lambda _request: answer
        self.answers[method, url] = told

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        place = f"{request.url.host}{request.url.path}"
        if (request.method, place) not in self.answers:
            return httpx.Response(404, json={"title": "Not Found", "status": 404})
        return self.answers[request.method, place](request)

    def who(self, request: httpx.Request) -> dict[str, Any]:
        """The claims of a request's token."""
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims: dict[str, Any] = jwt.decode(token, self.issuer.key, algorithms=["ES256"]).claims
        return claims


def answer(value: object, **headers: str) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(value), headers=headers)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.open(tmp_path / "secrets" / "issuer")


@pytest.fixture
def fake(issuer: Issuer) -> FakePlatform:
    return FakePlatform(issuer)


@pytest_asyncio.fixture
async def platform(fake: FakePlatform, tmp_path: Path) -> AsyncIterator[Connected]:
    urls = {
        name: f"http://{name}" for name in ("registry", "conditionality", "payments", "projection")
    }
    async with httpx.AsyncClient(transport=httpx.MockTransport(fake)) as http:
        yield Connected(tmp_path, urls, fake.issuer, http)
