from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
from fastapi import FastAPI

from simulators.bank import create_app, open_banks
from simulators.journal import Journal
from simulators.misbehaviour import Misbehaviour
from simulators.treasury import create_app as create_treasury
from tests.unit.simulators.given import BOOKS

Start: TypeAlias = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://outside")


@pytest.fixture
def start_banks(tmp_path: Path) -> Start:
    """Banks over one directory of journals: start them, leave them, start them again."""

    @asynccontextmanager
    async def start(
        *misbehaves: Misbehaviour, answer_after_asks: int = 0
    ) -> AsyncIterator[httpx.AsyncClient]:
        banks = open_banks(
            BOOKS, tmp_path, answer_after_asks=answer_after_asks, misbehaves=misbehaves
        )
        try:
            async with client_of(create_app(banks)) as client:
                yield client
        finally:
            for bank in banks.values():
                bank.close()

    return start


@pytest.fixture
def start_treasury(tmp_path: Path) -> Start:
    """A treasury over one journal."""

    @asynccontextmanager
    async def start(*, answer_after_asks: int = 0) -> AsyncIterator[httpx.AsyncClient]:
        journal = Journal(tmp_path / "treasury.journal")
        try:
            app = create_treasury(BOOKS, journal, answer_after_asks=answer_after_asks)
            async with client_of(app) as client:
                yield client
        finally:
            journal.close()

    return start


@pytest.fixture
async def banks(start_banks: Start) -> AsyncIterator[httpx.AsyncClient]:
    async with start_banks() as client:
        yield client


@pytest.fixture
async def treasury(start_treasury: Start) -> AsyncIterator[httpx.AsyncClient]:
    async with start_treasury() as client:
        yield client
