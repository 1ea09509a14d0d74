"""Lists page by page: nothing skipped, nothing twice, and no cursor of another list."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.dev_issuer import Issuer
from libs.chassis.pagination import ITEMS, ITEMS_MAX, Page, Paging
from tests.unit.chassis.service import Reader, calling, service, settings_for, token_for

KEY = b"one key of all processes of a service"
SHELF = [f"thing {number:04}" for number in range(1_205)]


class Thing(BaseModel):
    name: str


def shelves() -> APIRouter:
    router = APIRouter()

    @router.get("/shelves/{shelf}")
    async def shelf(shelf: str, reader: Reader, paging: Paging, kind: str = "") -> Page[Thing]:
        after = paging.after(str) or ""
        rows = [name for name in SHELF if name > after][: paging.rows]
        found, following = paging.cut(rows, lambda name: name)
        return Page[Thing](items=[Thing(name=name) for name in found], next=following)

    @router.get("/numbers")
    async def numbers(reader: Reader, paging: Paging) -> Page[int]:
        rows = list(range(paging.after(int) or 0, 10))[: paging.rows]
        found, following = paging.cut(rows, lambda number: number)
        return Page[int](items=list(found), next=following)

    return router


@pytest.fixture
async def client(issuer: Issuer, issuer_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(issuer_dir, cursor_key=KEY)
    async with calling(service(settings, shelves()), token_for(issuer)) as opened:
        yield opened


async def test_pages_follow_one_another_to_the_end(client: httpx.AsyncClient) -> None:
    names: list[str] = []
    query: dict[str, Any] = {"limit": 500}
    while True:
        page = (await client.get("/shelves/a", params=query)).json()
        names += [each["name"] for each in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]

    assert names == SHELF


async def test_the_next_page_is_linked_to(client: httpx.AsyncClient) -> None:
    first = await client.get("/shelves/a?kind=red&limit=1000")
    second = await client.get(str(first.url.join(first.links["next"]["url"])))

    assert [each["name"] for each in second.json()["items"]] == SHELF[1_000:]
    assert "kind=red" in first.links["next"]["url"]
    assert "next" not in second.links


async def test_a_page_that_holds_all_is_the_last(client: httpx.AsyncClient) -> None:
    page = (await client.get("/numbers?limit=10")).json()
    assert page == {"items": list(range(10)), "next": None}


async def test_a_page_is_of_a_size_that_nobody_has_to_name(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/shelves/a")).json()["items"]) == ITEMS


@pytest.mark.parametrize("limit", [0, -1, ITEMS_MAX + 1, "many"])
async def test_a_page_of_no_size_or_too_large_is_refused(
    client: httpx.AsyncClient, limit: object
) -> None:
    answer = await client.get("/shelves/a", params={"limit": str(limit)})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")


@pytest.mark.parametrize("path", ["/shelves/b", "/shelves/a?kind=red", "/numbers"])
async def test_the_cursor_of_another_list_is_refused(client: httpx.AsyncClient, path: str) -> None:
    cursor = (await client.get("/shelves/a")).json()["next"]
    answer = await client.get(path, params={**httpx.URL(path).params, "cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/cursor-foreign")


async def test_a_cursor_that_was_changed_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/shelves/a")).json()["next"]
    decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for place in range(len(decoded)):
        changed = decoded[:place] + bytes([decoded[place] ^ 1]) + decoded[place + 1 :]
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        answer = await client.get("/shelves/a", params={"cursor": text})
        assert answer.status_code == 400


async def test_a_cursor_goes_on_in_another_process_of_the_same_key_and_in_no_other(
    client: httpx.AsyncClient, issuer: Issuer, issuer_dir: Path
) -> None:
    cursor = (await client.get("/shelves/a")).json()["next"]
    for key, status in ((KEY, 200), (b"another key of a process", 400)):
        settings = settings_for(issuer_dir, cursor_key=key)
        async with calling(service(settings, shelves()), token_for(issuer)) as process:
            answer = await process.get("/shelves/a", params={"cursor": cursor})
            assert answer.status_code == status


async def test_another_size_may_follow(client: httpx.AsyncClient) -> None:
    cursor = (await client.get("/shelves/a?limit=3")).json()["next"]
    page = (await client.get("/shelves/a", params={"limit": 2, "cursor": cursor})).json()
    assert [each["name"] for each in page["items"]] == SHELF[3:5]


@pytest.mark.parametrize("cursor", ["", "odd", "MjAyMw", "w7bDtsO2w7Y=", "%00", "ö" * 10])
async def test_what_is_no_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get("/shelves/a", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/cursor-foreign")
