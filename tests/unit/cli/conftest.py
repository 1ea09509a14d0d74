"""A platform that answers from a table of functions, in place of the services' processes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt

from cli.client.http import Connected
from libs.chassis.catalogue import catalogue
from libs.chassis.dev_issuer import Issuer

SERVICES = catalogue().names

Handler = Callable[[httpx.Request], httpx.Response]


class FakePlatform:
    """Remembers what it was asked, and answers each (method, path) by a function of ours."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.answers: dict[tuple[str, str], Handler] = {}
        self.asked: list[httpx.Request] = []

    def when(self, method: str, url: str, answer: Handler | httpx.Response) -> None:
        """Answer requests for "service/path"."""
        response = answer if callable(answer) else lambda _request: answer
        self.answers[method, url] = response

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


def job_as_told(**changes: object) -> dict[str, object]:
    """A job as a service tells it: an upload, half of it taken in."""
    return {
        "id": "import-5f2b",
        "kind": "import",
        "about": "members.csv",
        "state": "RUNNING",
        "done": 2_000_000,
        "total": 4_000_000,
        "unit": "bytes",
        "rate": 1_000_000.0,
        "counts": {"rows": 300},
        "steps": [],
        "attempt": 1,
        "by": "clerk",
        "started_at": "2023-03-31T08:00:00Z",
        "changed_at": "2023-03-31T08:00:02Z",
        "cancelling": False,
        "result": None,
        "problem": None,
    } | changes


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.open(tmp_path / "secrets" / "issuer")


@pytest.fixture
def fake(issuer: Issuer) -> FakePlatform:
    return FakePlatform(issuer)


@pytest.fixture
def data_dir(fake: FakePlatform, tmp_path: Path) -> Iterator[Path]:
    """The directory of a platform that runs: the fake one, behind a real port."""

    class Answering(BaseHTTPRequestHandler):
        def handle_all(self) -> None:
            _, service, path = self.path.split("/", 2)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url, headers = f"http://{service}/{path}", dict(self.headers.items())
            response = fake(httpx.Request(self.command, url, headers=headers, content=body))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in response.headers:
                self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = handle_all  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        card = {"services": {name: f"{base}/{name}" for name in SERVICES}}
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "platform.json").write_text(json.dumps(card))
        yield tmp_path
        server.shutdown()


@pytest_asyncio.fixture
async def platform(fake: FakePlatform, tmp_path: Path) -> AsyncIterator[Connected]:
    urls = {name: f"http://{name}" for name in SERVICES}
    async with httpx.AsyncClient(transport=httpx.MockTransport(fake)) as http:
        yield Connected(tmp_path, urls, fake.issuer, http)
