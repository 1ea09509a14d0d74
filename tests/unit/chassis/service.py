"""A small service to knock at: one thing, its versions, and every way to be refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from libs.chassis.app import create_app
from libs.chassis.auth import Principal, ensure_may_see, require
from libs.chassis.dev_issuer import Issuer
from libs.chassis.health import Check
from libs.chassis.middleware import Asked
from libs.chassis.settings import Settings

NIK = "6103014107900001"
Reader = Annotated[Principal, require("things:read")]
Writer = Annotated[Principal, require("things:write")]


class Thing(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    nik: str = Field(max_length=16)
    size: int = 1
    colour: str = "red"

    @field_validator("nik")
    @classmethod
    def has_sixteen_digits(cls, value: str) -> str:
        if not value.isdigit():
            raise ValueError(f"{value} is no number of a person")
        if len(value) != 16:
            raise PydanticCustomError("nik_length", "A NIK has 16 digits.")
        return value


def things() -> APIRouter:
    router = APIRouter(prefix="/things", tags=["things"])

    @router.get("/whoami")
    async def who_am_i(reader: Reader) -> dict[str, Any]:
        return {"subject": reader.subject, "regions": reader.regions}

    @router.get("/in/{region}")
    async def in_region(region: str, reader: Reader) -> dict[str, str]:
        ensure_may_see(reader, region)
        return {"region": region}

    @router.put("/{name}")
    async def put(
        name: str, thing: Thing, writer: Writer, context: Asked, nik: str = ""
    ) -> dict[str, Any]:
        return {"actor": context.actor, "trace": context.trace, "cause": context.cause}

    return router


@asynccontextmanager
async def nothing_to_open(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
    yield {}


def settings_for(issuer_dir: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "service": "things",
        "database_url": "postgresql://nobody@nowhere/none",
        "bus_url": "kafka://nowhere:9092",
        "issuers": Issuer.trusted_in(issuer_dir),
    }
    return Settings(**(given | changes))


def service(
    settings: Settings,
    *routers: APIRouter,
    readiness: Mapping[str, Check] | None = None,
    **options: Any,
) -> FastAPI:
    return create_app(
        "things",
        "Things",
        routers or [things()],
        nothing_to_open,
        readiness or {},
        settings,
        **options,
    )


@asynccontextmanager
async def calling(app: FastAPI, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://things", headers=headers) as client,
    ):
        yield client


def token_for(issuer: Issuer, *scopes: str, regions: tuple[str, ...] = ()) -> str:
    return issuer.token("officer-7", scopes or ("things:read", "things:write"), regions)


Endpoint = Callable[[Request], Any]
