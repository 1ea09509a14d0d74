"""Without a token: connections that are silent, never end or never read. Others are served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx
import psutil
import pytest

from tests.lone_service import LoneService, lone_service
from tests.servers import eventually

SECONDS: Final = 2
"""The limits of time that the service is given: what is waited for here ends soon behind them."""
ENDS_S_MAX: Final = 30.0
DRIP_S: Final = 0.1
MEGABYTE: Final = 1024 * 1024
MEMORY_MAX: Final = 24 * MEGABYTE

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneService]:
    limits = {"PKH_HEADER_S": str(SECONDS), "PKH_IDLE_S": str(SECONDS)}
    with lone_service(tmp_path_factory.mktemp("lone"), limits) as service:
        yield service


@contextlib.asynccontextmanager
async def connections(
    lone: LoneService, count: int = 1, sources: int = 1
) -> AsyncIterator[list[Connection]]:
    """Connections of an attacker, from so many addresses."""
    opened: list[Connection] = []
    try:
        for number in range(count):
            source = f"127.0.0.{7 + number % sources}", 0
            made = await asyncio.open_connection("127.0.0.1", lone.port, local_addr=source)
            opened.append(made)
        yield opened
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def is_served(lone: LoneService) -> bool:
    """Somebody else comes anew, with a token, and is answered."""
    async with asyncio.timeout(ENDS_S_MAX), httpx.AsyncClient(base_url=lone.url) as client:
        answer = await client.get("/started", headers=lone.who("reader-1"))
    return answer.status_code == 200


async def last_words(connection: Connection, drop: bytes = b"") -> bytes:
    """All that the service says until it ends a connection, which sends a drop now and then."""
    reader, writer = connection
    said = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(ENDS_S_MAX):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRIP_S):
                        if not (piece := await reader.read(MEGABYTE)):
                            return said
                        said += piece
                writer.write(drop)
    return said


@pytest.mark.parametrize("sources", [1, 20])
async def test_a_thousand_idle_connections_keep_nobody_out(lone: LoneService, sources: int) -> None:
    async with connections(lone, 1_005, sources):
        assert await is_served(lone)


async def test_a_connection_that_says_nothing_is_ended(lone: LoneService) -> None:
    async with connections(lone) as [silent]:
        assert await last_words(silent) == b""


@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nX: a", b"G"])
async def test_a_header_that_never_ends_is_refused(lone: LoneService, begin: bytes) -> None:
    async with connections(lone) as [slow]:
        slow[1].write(begin)
        said = await last_words(slow, b"E")
        assert await is_served(lone)
    assert said == b"" or said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))


async def test_blank_lines_between_two_requests_keep_no_connection_open(
    lone: LoneService,
) -> None:
    async with connections(lone) as [slow]:
        slow[1].write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        said = await last_words(slow, b"\r\n")
    assert said.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 65_536),
        (b"GET / HTTP/1.1\r\n", b"X-Header-Of-An-Attacker: aaaaaaaaaaaaaaaaaaa\r\n" * 1_000),
        (b"GET /", b"a" * 65_536),
        (b"POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 65_536),
        (b"POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a" * 65_536),
    ],
    ids=["one value", "many headers", "an address", "a trailer", "an extension"],
)
async def test_a_header_of_any_size_fills_no_memory_and_stops_nobody(
    lone: LoneService, begin: bytes, piece: bytes
) -> None:
    process = psutil.Process(lone.process.pid)
    before = process.memory_info().rss
    async with connections(lone) as [(_, writer)]:
        writer.write(begin)
        with contextlib.suppress(ConnectionError):
            for _ in range(64 * MEGABYTE // len(piece)):
                writer.write(piece)
                await writer.drain()
            pytest.fail("64 MB of a header were taken")
        assert await is_served(lone)
    assert process.memory_info().rss - before < MEMORY_MAX


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Content-Length: 4\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding : chunked",
    ],
    ids=["chunks and a length", "two lengths", "no chunks at last", "room in a name"],
)
async def test_a_request_of_two_lengths_is_refused(lone: LoneService, lengths: bytes) -> None:
    hidden = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    async with connections(lone) as [smuggler]:
        smuggler[1].write(b"POST /health HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n\r\n" + hidden)
        said = await last_words(smuggler)
    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1") == 1


async def test_requests_sent_far_ahead_of_their_answers_end_the_connection(
    lone: LoneService,
) -> None:
    async with connections(lone) as [ahead]:
        bearer = lone.who("reader-3")["Authorization"]
        request = f"GET /slow HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n\r\n".encode()
        ahead[1].write(request * 1_000)
        said = await last_words(ahead)
        assert await is_served(lone)
    assert said.count(b"HTTP/1.1 200") < 1_000


async def test_an_answer_that_nobody_reads_is_given_up(lone: LoneService) -> None:
    process = psutil.Process(lone.process.pid)
    async with connections(lone) as [(_, writer)]:
        bearer = lone.who("reader-2")["Authorization"]
        writer.write(f"GET /much HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n\r\n".encode())
        _, port = writer.get_extra_info("sockname")

        def is_held() -> bool:
            return any(each.raddr[1:] == (port,) for each in process.net_connections())

        await eventually(is_held, ENDS_S_MAX)
        await eventually(lambda: not is_held(), ENDS_S_MAX)


async def test_bad_tokens_have_to_wait_and_good_ones_are_served(lone: LoneService) -> None:
    async with httpx.AsyncClient(base_url=lone.url) as client:
        bad = [
            await client.get("/started", headers={"Authorization": f"Bearer {number}"})
            for number in range(300)
        ]
        good = await client.get("/started", headers=lone.who("reader-1"))

    assert good.status_code == 200
    waits = [answer for answer in bad if answer.status_code == 429]
    assert {answer.status_code for answer in bad} == {401, 429}
    assert len(waits) > 200
    assert {answer.json()["type"] for answer in waits} == {"/problems/too-many-requests"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in waits)
