"""A record before an answer: what it holds, and that nothing is told without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from libs.chassis.app import create_app
from libs.chassis.dev_issuer import Issuer
from libs.chassis.noting import Noted, families_in
from libs.chassis.reads import NoteRead
from libs.events.store.grouped_commands import Answered, GroupedCommand
from tests.unit.chassis.service import Reader, calling, settings_for, token_for

NIK = "6103014107900001"
GROUPED = ("6103.0145.0590.0001", "6103:0145:0590:0001", "maker.6.1-0_3:014505900001")
ONE, OTHER = UUID(int=1), UUID(int=2)


class Line(BaseModel):
    family: UUID
    amount: int = 5


class Lines(BaseModel):
    items: list[Line]
    missing: list[str] = []


class Records:
    """A committer that keeps what it is given, unless it has a fault."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.commands: list[Any] = []
        self.fault = fault

    async def append(self, grouped: GroupedCommand[Any, Any, Any, Any]) -> Answered[None]:
        if self.fault is not None:
            raise self.fault
        self.commands.append(grouped.command)
        return Answered(None, None)


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/lines/{tahap}")
    async def lines(tahap: str, reader: Reader, noted: Noted, maker: str = "") -> Lines:
        return await noted(Lines(items=[Line(family=ONE)], missing=[str(OTHER), "none"]))

    @router.get("/none")
    async def none(reader: Reader, noted: Noted, family: str = "") -> Lines:
        return await noted(Lines(items=[]))

    @router.get("/forgotten")
    async def forgotten(reader: Reader, noted: Noted) -> Lines:
        return Lines(items=[Line(family=ONE)])

    return router


@asynccontextmanager
async def asking(
    issuer: Issuer, issuer_dir: Path, records: Records
) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened(_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        yield {"committer": records}

    app = create_app("things", "Things", [routes()], opened, {}, settings_for(issuer_dir))
    async with calling(app, token_for(issuer)) as client:
        yield client


async def test_a_record_names_operation_filters_and_families(
    issuer: Issuer, issuer_dir: Path
) -> None:
    records = Records()
    async with asking(issuer, issuer_dir, records) as client:
        answer = await client.get("/lines/2023-1", params={"maker": "officer-1"})

    assert answer.status_code == 200
    filters = {"tahap": "2023-1", "maker": "officer-1"}
    assert records.commands == [NoteRead("GET /lines/{tahap}", filters, [str(ONE), str(OTHER)])]


@pytest.mark.parametrize("maker", [NIK, f"a{NIK}", *GROUPED, "Siti Aminah", "x" * 65, "a\u0301"])
async def test_a_filter_that_may_be_anything_is_not_repeated(
    issuer: Issuer, issuer_dir: Path, maker: str
) -> None:
    records = Records()
    async with asking(issuer, issuer_dir, records) as client:
        await client.get("/lines/2023-1", params={"maker": maker})

    [command] = records.commands
    assert command.filters["maker"] == "*"


async def test_an_answer_about_nobody_leaves_no_record_unless_somebody_was_asked_for(
    issuer: Issuer, issuer_dir: Path
) -> None:
    records = Records()
    async with asking(issuer, issuer_dir, records) as client:
        await client.get("/none")
        assert records.commands == []
        await client.get("/none", params={"family": str(OTHER)})

    assert [command.families for command in records.commands] == [[str(OTHER)]]


async def test_an_answer_whose_record_was_left_out_does_not_go_out(
    issuer: Issuer, issuer_dir: Path
) -> None:
    async with asking(issuer, issuer_dir, Records()) as client:
        answer = await client.get("/forgotten")

    assert (answer.status_code, str(ONE) in answer.text) == (500, False)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (asyncpg.DiskFullError("full"), "read-not-recorded"),
        (asyncpg.InsufficientPrivilegeError("events"), "read-not-recorded"),
        (ConnectionResetError(), "database-unavailable"),
        (asyncpg.QueryCanceledError(), "database-busy"),
    ],
    ids=["full", "forbidden", "away", "slow"],
)
async def test_where_no_record_can_be_written_there_is_no_answer(
    issuer: Issuer, issuer_dir: Path, fault: Exception, code: str
) -> None:
    async with asking(issuer, issuer_dir, Records(fault)) as client:
        answer = await client.get("/lines/2023-1")

    assert (answer.status_code, answer.json()["type"]) == (503, f"/problems/{code}")
    assert answer.headers["Retry-After"] == "1"
    assert str(ONE) not in answer.text


def test_families_are_found_wherever_an_answer_names_them() -> None:
    body = {"deferred": [{"family": str(OTHER), "reason": "PARKED"}], "families": 12}

    assert set(families_in([Line(family=ONE), {"body": body}])) == {str(ONE), str(OTHER)}
    assert list(families_in({"family": "every", "tahap": str(ONE)})) == []
