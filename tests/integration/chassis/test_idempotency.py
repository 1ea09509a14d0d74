"""A POST that is sent twice happens once: on a real database, with everything that races."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from libs.chassis.app import create_app
from libs.chassis.auth import Principal, require
from libs.chassis.deciding import Deciding
from libs.chassis.dev_issuer import Issuer
from libs.chassis.etag import Unconditional, etag
from libs.chassis.idempotency import Once, OnceOnly, OnceStreamed, ReadsOnly, Reply, claim, store
from libs.chassis.middleware import Asked, resource
from libs.chassis.problems import Refusal
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.handle import handle
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from tests.purse import KEPT, PutIn, TakeOut
from tests.servers import Postgres
from tests.stores import fresh_store
from tests.unit.chassis.service import settings_for

Giver = Annotated[Principal, require("purse:write")]
StoreOf = Annotated[Store, resource("store")]
CommitterOf = Annotated[GroupCommitter, resource("committer")]
KEY = {"Idempotency-Key": "key-1"}


async def alone(
    committer: GroupCommitter, grouped: GroupedCommand[Any, Any, Any, Reply]
) -> Response:
    """As most requests do it: in a transaction of their own."""
    assert isinstance(grouped.once, OnceOnly)

    async def decided(unit: Transaction) -> Reply:
        return grouped.reply(await handle(unit, grouped.kind, grouped.stream_id, grouped.command))

    return await Deciding(committer.store, grouped.context, grouped.once)(decided)


async def together(
    committer: GroupCommitter, grouped: GroupedCommand[Any, Any, Any, Reply]
) -> Response:
    """As single commands do it that may arrive in numbers."""
    done = await committer.append(grouped)
    return done.reply.response(done.position)


def made(outcome: Outcome[Any, Any]) -> Reply:
    return Reply(201, {"coins": outcome.state.coins}, {"ETag": etag(outcome.version)})


def purses(way: Callable[..., Any]) -> APIRouter:
    router = APIRouter(prefix="/purses")

    @router.post("/{name}/coins", status_code=201, dependencies=[Unconditional])
    async def put_in(
        name: str,
        body: dict[str, int],
        giver: Giver,
        committer: CommitterOf,
        context: Asked,
        once: Once,
        x: int = 0,
    ) -> Response:
        command = PutIn(body["in"]) if "in" in body else TakeOut(body["out"])
        grouped = GroupedCommand(KEPT, f"purse-{name}", command, context, made, once)
        answer: Response = await way(committer, grouped)
        return answer

    @router.post("/upload", dependencies=[Unconditional])
    async def upload(
        request: Request, giver: Giver, store: StoreOf, context: Asked, once: OnceStreamed
    ) -> Response:
        size = sum([len(chunk) async for chunk in once.following(request.stream())])
        async with store.transaction(context) as unit:
            await once.claim(unit.connection)
            await handle(unit, KEPT, "purse-upload", PutIn(size))
            await once.keep(unit.connection, Reply(200, {"bytes": size}))
        return Reply(200, {"bytes": size}).response(unit.position)

    @router.post("/search", dependencies=[ReadsOnly])
    async def search(giver: Giver) -> str:
        return "found"

    return router


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    async with fresh_store(postgres) as url:
        yield url


@pytest.fixture
async def opened(database: str) -> AsyncIterator[Store]:
    opened = await Store.connect(database, "test")
    yield opened
    await opened.close()


@pytest.fixture(params=[alone, together], ids=["alone", "together"])
async def client(
    opened: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        yield {"store": opened, "committer": GroupCommitter(opened)}

    issuer = Issuer.open(tmp_path / "issuer")
    settings = settings_for(tmp_path / "issuer")
    app = create_app("purses", "Purses", [purses(request.param)], lifespan, {}, settings)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {issuer.token('giver-1', ['purse:write'])}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client,
    ):
        client.issuer = issuer  # type: ignore[attr-defined]
        yield client


async def _coins(store: Store) -> int:
    loaded = await store.read(KEPT, ["purse-a"])
    return loaded["purse-a"].state.coins if loaded else 0


async def test_the_same_request_twice_happens_once_and_is_answered_alike(
    client: httpx.AsyncClient, opened: Store
) -> None:
    first = await client.post("/purses/a/coins", json={"in": 5}, headers=KEY)
    await client.post("/purses/a/coins", json={"in": 1}, headers={"Idempotency-Key": "key-2"})
    second = await client.post("/purses/a/coins", json={"in": 5}, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() == {"coins": 5}
    assert first.headers["ETag"] == second.headers["ETag"] == '"1"'
    assert (first.headers["Position"], second.headers["Position"]) == ("1", "2")
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert await _coins(opened) == 6


async def test_many_at_the_same_time_have_one_effect(
    client: httpx.AsyncClient, opened: Store
) -> None:
    answers = await asyncio.gather(
        *(client.post("/purses/a/coins", json={"in": 5}, headers=KEY) for _ in range(20))
    )
    assert await _coins(opened) == 5
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409}
    assert sum("Idempotency-Replayed" not in a.headers for a in answers if a.is_success) == 1
    assert all(
        answer.json()["type"] == "/problems/idempotency-key-in-flight"
        for answer in answers
        if answer.status_code == 409
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [("/purses/a/coins", {"in": 6}), ("/purses/b/coins", {"in": 5}), ("/purses/a/coins?x=1", 0)],
)
async def test_a_key_belongs_to_one_request(
    client: httpx.AsyncClient, opened: Store, path: str, body: Any
) -> None:
    await client.post("/purses/a/coins", json={"in": 5}, headers=KEY)
    answer = await client.post(path, json=body or {"in": 5}, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert await _coins(opened) == 5


async def test_a_key_belongs_to_one_client(client: httpx.AsyncClient, opened: Store) -> None:
    issuer: Issuer = client.issuer  # type: ignore[attr-defined]
    other = {"Authorization": f"Bearer {issuer.token('giver-2', ['purse:write'])}"}
    await client.post("/purses/a/coins", json={"in": 5}, headers=KEY)
    answer = await client.post("/purses/a/coins", json={"in": 5}, headers={**KEY, **other})
    assert answer.json() == {"coins": 10}


async def test_what_was_refused_by_a_rule_may_be_tried_again_with_its_key(
    client: httpx.AsyncClient,
) -> None:
    refused = await client.post("/purses/a/coins", json={"out": 5}, headers=KEY)
    await client.post("/purses/a/coins", json={"in": 7}, headers={"Idempotency-Key": "key-2"})
    done = await client.post("/purses/a/coins", json={"out": 5}, headers=KEY)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/purse-too-light")
    assert (done.status_code, done.json()) == (201, {"coins": 2})


@pytest.mark.parametrize("key", [None, "", "x" * 129, "with space", "é"])
async def test_a_post_without_a_fit_key_is_refused(
    client: httpx.AsyncClient, opened: Store, key: str | None
) -> None:
    headers = {} if key is None else {b"Idempotency-Key": key.encode()}
    answer = await client.post("/purses/a/coins", json={"in": 5}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/idempotency-key-missing")
    assert await _coins(opened) == 0


async def test_a_post_that_only_reads_needs_no_key(client: httpx.AsyncClient) -> None:
    assert (await client.post("/purses/search")).json() == "found"


async def test_a_streamed_body_is_in_the_fingerprint(client: httpx.AsyncClient) -> None:
    first = await client.post("/purses/upload", content=b"1234", headers=KEY)
    again = await client.post("/purses/upload", content=b"1234", headers=KEY)
    other = await client.post("/purses/upload", content=b"1235", headers=KEY)
    assert first.json() == again.json() == {"bytes": 4}
    assert "Idempotency-Replayed" in again.headers
    assert other.status_code == 422


# -- On a connection ------------------------------------------------------------------------------


@pytest.fixture
async def connections(
    opened: Store, database: str
) -> AsyncIterator[list[asyncpg.Connection[asyncpg.Record]]]:
    made = [await asyncpg.connect(database) for _ in range(2)]
    yield made
    for connection in made:
        await connection.close()


async def test_a_key_in_flight_is_not_waited_for_and_free_again_after_a_rollback(
    connections: list[asyncpg.Connection[asyncpg.Record]],
) -> None:
    one, two = connections
    transaction = one.transaction()
    await transaction.start()
    assert await claim(one, "c", "k", "f") is None
    async with asyncio.timeout(5), two.transaction():
        with pytest.raises(Refusal) as refused:
            await claim(two, "c", "k", "f")
        # The transaction that met it goes on.
        assert await claim(two, "c", "other", "f") is None
    await transaction.rollback()
    assert refused.value.status_code == 409
    async with two.transaction():
        assert await claim(two, "c", "k", "f") is None


async def test_a_key_taken_twice_in_one_transaction_is_in_flight(
    connections: list[asyncpg.Connection[asyncpg.Record]],
) -> None:
    async with connections[0].transaction():
        await claim(connections[0], "c", "k", "f")
        with pytest.raises(Refusal) as refused:
            await claim(connections[0], "c", "k", "f")
    assert refused.value.status_code == 409


async def test_a_kept_reply_is_given_whole(
    connections: list[asyncpg.Connection[asyncpg.Record]],
) -> None:
    one, two = connections
    async with one.transaction():
        await claim(one, "c", "k", "f")
        await store(one, "c", "k", Reply(202, {"job": [1, None, "é"]}, {"Location": "/jobs/1"}))
    async with two.transaction():
        reply = await claim(two, "c", "k", "f")
    assert reply == Reply(202, {"job": [1, None, "é"]}, {"Location": "/jobs/1", "Position": "0"})
