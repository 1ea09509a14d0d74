"""Asks the platform's services over HTTP, as one person with a token of their own.

    async with connected(Path("var")) as platform:
        clerk = platform.client("clerk", "registry:import")
        await clerk.post("payments", "/tahap", {...})

Every answer other than the wanted one is raised as `Failed`, in one sentence.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import httpx
import msgspec

from cli.client.problem import problem_of, sentence
from cli.client.sending import AGAIN_S_MAX, Patience, chunks, opened
from cli.errors import Failed
from libs.chassis.dev_issuer import LIFETIME_S_MAX, Issuer
from libs.events.store.watermarks import Positions

T = TypeVar("T")

EVERYWHERE: Final = ("*",)
ANSWER_S_MAX: Final = 60.0
PAGE_ITEMS: Final = 1_000
TOKEN_RENEWED_S: Final = LIFETIME_S_MAX / 2
AGAIN_PAUSE_S: Final = 0.2
AGAIN_STATUS: Final = frozenset({429, 502, 503, 504})
IN_FLIGHT: Final = "idempotency-key-in-flight"


class Refused(Failed):
    """A service answered with a problem; `kind` is the last part of its type."""

    def __init__(
        self, problem: Mapping[str, Any], service: str, status: int, file: str | None
    ) -> None:
        super().__init__(sentence(problem, service, status, file))
        self.kind = str(problem.get("type", "")).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's answer: `position` holds everything that it speaks of, None where it is none."""

    status: int
    body: bytes
    position: int | None
    etag: str | None

    def read(self, kind: type[T]) -> T:
        """The JSON body as a value of a type."""
        return msgspec.json.decode(self.body, type=kind)


class _Page(msgspec.Struct):
    """A page of a list: its items, still as they came, and the cursor of the next one."""

    items: msgspec.Raw
    next: str | None


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """The thing that somebody looked at, and the ETag by which they decide on it."""

    value: T
    etag: str | None

    @property
    def if_match(self) -> dict[str, str]:
        """The header of a request that decides on what was seen."""
        return if_match(self.etag)


def if_match(etag: str | None) -> dict[str, str]:
    """The header of a request that decides on what has this ETag."""
    return {"If-Match": etag} if etag else {}


@dataclass(slots=True)
class Client:
    """One person, what they may do, and the services they ask."""

    http: httpx.AsyncClient
    urls: Mapping[str, str]
    issuer: Issuer
    subject: str
    scopes: tuple[str, ...]
    regions: tuple[str, ...] = EVERYWHERE
    _token: str = field(default="", repr=False)
    _signed_at: float = 0.0

    async def get(self, service: str, path: str, kind: type[T], **query: str | int) -> T:
        """The answer of a service to a GET, as a value of a type."""
        return (await self._ask("GET", service, path, params=query)).read(kind)

    async def content(self, service: str, path: str) -> bytes:
        """The answer of a service to a GET as it came, a page or a file."""
        return (await self._ask("GET", service, path)).body

    async def pages(
        self, service: str, path: str, kind: type[list[T]], /, **query: str | int
    ) -> AsyncIterator[list[T]]:
        """A list, page by page."""
        async for page in self.seen_pages(service, path, kind, **query):
            yield page.value

    async def seen_pages(
        self, service: str, path: str, kind: type[list[T]], /, **query: str | int
    ) -> AsyncIterator[Seen[list[T]]]:
        """A list, page by page, with the ETag by which somebody decides on all of a page."""
        asked: dict[str, str | int] = {"limit": PAGE_ITEMS, **query}
        while True:
            answer = await self._ask("GET", service, path, params=asked)
            page = answer.read(_Page)
            yield Seen(msgspec.json.decode(page.items, type=kind), answer.etag)
            if page.next is None:
                return
            asked["cursor"] = page.next

    async def see(self, service: str, path: str, kind: type[T]) -> Seen[T]:
        """As `get`, with the ETag that a decision on it must name."""
        answer = await self._ask("GET", service, path)
        return Seen(answer.read(kind), answer.etag)

    async def post(
        self,
        service: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Do something once, however often the request has to be sent."""
        content = b"" if body is None else msgspec.json.encode(body)
        own = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return await self._ask(
            "POST", service, path, content=content, headers=own | {**(headers or {})}
        )

    async def upload(self, service: str, path: str, file: Path, key: str | None = None) -> Answer:
        """Stream a CSV file to a service under a key, a fresh one where none is given.

        A service that goes away meanwhile, or is not rid of an earlier attempt yet, gets the file
        again from its beginning: it has kept nothing of it.
        """
        key, patience = key or str(uuid.uuid4()), Patience()
        while True:
            try:
                response = await self._send_file(service, path, file, key)
            except httpx.TransportError as error:
                if patience.ends():
                    raise _unreachable(service, error) from error
            else:
                if not _is_worth_another_try(response) or patience.ends():
                    return _checked(service, response, file.name)
            await asyncio.sleep(AGAIN_PAUSE_S)

    async def _send_file(self, service: str, path: str, file: Path, key: str) -> httpx.Response:
        with opened(file) as (content, size):
            request = self.http.build_request(
                "POST",
                self._url(service, path),
                content=chunks(content),
                headers={
                    "Content-Type": "text/csv",
                    "Content-Length": str(size),
                    "Idempotency-Key": key,
                    **self._authorization(),
                },
                # The answer comes when all of the file is kept, however long that takes.
                timeout=httpx.Timeout(ANSWER_S_MAX, read=None),
            )
            return await self.http.send(request)

    async def positions(self, service: str) -> Positions:
        """Where a service is; needs platform:read."""
        return await self.get(service, "/positions", Positions)

    # -- One request

    async def _ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        end = time.monotonic() + AGAIN_S_MAX
        while True:
            try:
                response = await self.http.request(
                    method,
                    self._url(service, path),
                    params=params,
                    content=content,
                    headers={**(headers or {}), **self._authorization()},
                )
            except httpx.TransportError as error:
                if time.monotonic() > end:
                    raise _unreachable(service, error) from error
            else:
                if response.status_code not in AGAIN_STATUS or time.monotonic() > end:
                    return _checked(service, response)
            await asyncio.sleep(AGAIN_PAUSE_S)

    def _url(self, service: str, path: str) -> str:
        if service not in self.urls:
            raise Failed(f"This platform has no {service}.")
        return f"{self.urls[service]}{path}"

    def _authorization(self) -> dict[str, str]:
        now = time.monotonic()
        if not self._token or now - self._signed_at > TOKEN_RENEWED_S:
            self._token = self.issuer.token(self.subject, self.scopes, self.regions)
            self._signed_at = now
        return {"Authorization": f"Bearer {self._token}"}


def _is_worth_another_try(response: httpx.Response) -> bool:
    if response.status_code == HTTPStatus.CONFLICT:
        return str(problem_of(response.content).get("type", "")).endswith(IN_FLIGHT)
    return response.status_code in AGAIN_STATUS


def _checked(service: str, response: httpx.Response, file: str | None = None) -> Answer:
    if not response.is_success:
        raise Refused(problem_of(response.content), service, response.status_code, file)
    position = response.headers.get("Position")
    return Answer(
        response.status_code,
        response.content,
        int(position) if position else None,
        response.headers.get("ETag"),
    )


def _unreachable(service: str, error: httpx.TransportError) -> Failed:
    return Failed(f"{service} does not answer ({type(error).__name__}).")


# -- Where the platform is ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connected:
    """A platform that runs, as its own directory tells of it."""

    data_dir: Path
    urls: Mapping[str, str]
    issuer: Issuer
    http: httpx.AsyncClient

    def client(self, subject: str, *scopes: str) -> Client:
        """Ask as this person, who may do this."""
        return Client(self.http, self.urls, self.issuer, subject, scopes)


@asynccontextmanager
async def connected(data_dir: Path) -> AsyncIterator[Connected]:
    """The platform that runs on a directory. Raises `Failed` where none does."""
    urls = services_of(data_dir)
    # Our own processes on the loopback interface: neither a proxy nor a certificate between us.
    async with httpx.AsyncClient(
        timeout=ANSWER_S_MAX,
        trust_env=False,
        verify=False,  # noqa: S501
    ) as http:
        yield Connected(data_dir, urls, local_issuer(data_dir), http)


def services_of(data_dir: Path) -> dict[str, str]:
    """By name, where the services of the platform that runs on a directory answer."""
    card = data_dir / "run" / "platform.json"
    try:
        services: dict[str, str] = json.loads(card.read_text())["services"]
    except FileNotFoundError:
        raise Failed(f"No platform runs on {data_dir}; start one with: pkh up") from None
    except (OSError, ValueError, KeyError):
        raise Failed(f"{card} cannot be read.") from None
    return services


def local_issuer(data_dir: Path) -> Issuer:
    """Who signs the tokens of a platform. Raises `Failed` where it was never started."""
    directory = data_dir / "secrets" / "issuer"
    if not directory.is_dir():
        raise Failed(f"{data_dir} belongs to no platform; start one with: pkh up")
    try:
        return Issuer.open(directory)
    except OSError:
        raise Failed(f"{directory} is not yours to read.") from None
