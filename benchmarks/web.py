"""The servers of the HTTP measurement, each a process: `python -m benchmarks.web WAY ...`.

`bare` is what anybody writes first: FastAPI, a pool of asyncpg, one INSERT. `corridor` is the same
application with a command in place of the INSERT; `service` is one as the platform serves it, with
tokens, Idempotency-Key, logs and problem details.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel, ConfigDict

from benchmarks.domain import ACCOUNT, CONTEXT, SERVICE, Record, recorded
from libs.chassis.app import create_app, serve
from libs.chassis.auth import Principal, require
from libs.chassis.dev_issuer import Issuer
from libs.chassis.etag import Unconditional, etag
from libs.chassis.idempotency import Once, Reply
from libs.chassis.limits import Limits
from libs.chassis.middleware import Asked
from libs.chassis.service import CommitterOf
from libs.chassis.settings import Settings
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import GroupedCommand
from libs.events.store.model import Outcome, encode
from libs.events.store.postgres import Store

SCOPE: Final = "bench:record"
UNLIMITED: Final = 1_000_000
PATH: Final = "/records"
BARE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS records (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, family uuid NOT NULL, data json NOT NULL
)
"""


class Body(BaseModel):
    """A family as it is recorded."""

    model_config = ConfigDict(extra="forbid")

    family: UUID
    amount: int


def _version(outcome: Outcome[Any, Any]) -> int:
    return outcome.version


def _reply(outcome: Outcome[Any, Any]) -> Reply:
    return Reply(204, None, {"ETag": etag(outcome.version)})


def bare(database: str) -> FastAPI:
    """One INSERT a request."""
    opened: dict[str, asyncpg.Pool[asyncpg.Record]] = {}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database) as opened["pool"]:
            await opened["pool"].execute(BARE_TABLE)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post(PATH, status_code=204)
    async def record(body: Body) -> Response:
        data = encode(recorded(str(body.family), body.amount)).decode()
        await opened["pool"].execute(
            "INSERT INTO records (family, data) VALUES ($1, $2)", body.family, data
        )
        return Response(status_code=204)

    return app


def corridor(database: str) -> FastAPI:
    """One command a request."""
    opened: dict[str, GroupCommitter] = {}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        store = await Store.connect(database, SERVICE)
        opened["committer"] = GroupCommitter(store)
        yield
        await store.close()

    app = FastAPI(lifespan=lifespan)

    @app.post(PATH, status_code=204)
    async def record(body: Body) -> Response:
        command = Record(str(body.family), body.amount)
        grouped = GroupedCommand(ACCOUNT, f"account-{body.family}", command, CONTEXT, _version)
        done = await opened["committer"].append(grouped)
        return Response(
            status_code=204,
            headers={"Position": str(done.position), "ETag": etag(done.reply)},
        )

    return app


def service(database: str, keys: Path) -> tuple[FastAPI, Settings]:
    """The same as a service of the platform."""
    asked_by_one = Limits(requests_a_second=UNLIMITED, requests_burst_max=UNLIMITED)
    settings = Settings(SERVICE, database, "", Issuer.trusted_in(keys), limits=asked_by_one)
    router = APIRouter()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        store = await Store.connect(database, SERVICE)
        yield {"committer": GroupCommitter(store)}
        await store.close()

    @router.post(PATH, status_code=204, dependencies=[Unconditional])
    async def record(
        body: Body,
        committer: CommitterOf,
        context: Asked,
        once: Once,
        recorder: Annotated[Principal, require(SCOPE)],
    ) -> Response:
        """Record an amount."""
        command = Record(str(body.family), body.amount)
        stream_id = f"account-{body.family}"
        done = await committer.append(
            GroupedCommand(ACCOUNT, stream_id, command, context, _reply, once)
        )
        return done.reply.response(done.position)

    return create_app(SERVICE, "Bench", [router], lifespan, {}, settings), settings


def main(way: str, database: str, port: str, keys: str) -> None:
    """Serve until told to stop."""
    if way == "service":
        app, settings = service(database, Path(keys))
        serve(app, replace(settings, port=int(port)))
        return
    app = (bare if way == "bare" else corridor)(database)
    options: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "access_log": False}
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", **options)


if __name__ == "__main__":
    main(*sys.argv[1:])
