"""Uploads on their way: whole or not at all, sealed on the disk, and no more than there is room."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from libs.chassis.limits import Limits
from libs.chassis.problems import Refusal
from libs.chassis.spool import PIECE_BYTES, Spool, Upload

ROW = b"6103014107900001,SITI RAHAYU\n"


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def bytes_of(upload: Upload) -> bytes:
    return b"".join([chunk async for chunk in upload.chunks()])


async def refused(spool: Spool, *chunks: bytes, client: str = "clerk-1") -> Refusal:
    with pytest.raises(Refusal) as caught:
        async with spool.received(client, body(*chunks)):
            pass
    return caught.value


@pytest.mark.parametrize("chunks", [[], [ROW], [ROW * 20_000, ROW, ROW * 5_000]])
async def test_an_upload_comes_out_as_it_came_in(chunks: Sequence[bytes]) -> None:
    async with Spool(Limits(), None).received("clerk-1", body(*chunks)) as upload:
        assert upload.size == sum(map(len, chunks))
        assert await bytes_of(upload) == b"".join(chunks)


async def test_nothing_stands_on_the_disk_in_clear() -> None:
    disk = io.BytesIO()
    upload = Upload(disk)

    await upload.add(ROW * 50_000)

    assert len(disk.getvalue()) > PIECE_BYTES
    assert b"SITI" not in disk.getvalue()
    assert await bytes_of(upload) == ROW * 50_000


async def test_a_client_has_so_many_uploads_at_once_and_others_have_theirs() -> None:
    spool = Spool(Limits(uploads_per_client_max=1, uploads_max=2), None)

    async with spool.received("clerk-1", body(ROW)):
        own = await refused(spool, ROW)
        async with spool.received("clerk-2", body(ROW)):
            of_all = await refused(spool, ROW, client="clerk-3")
    async with spool.received("clerk-1", body(ROW)):
        pass

    assert (own.status_code, own.kind) == (429, "too-many-uploads")
    assert (of_all.status_code, of_all.kind) == (429, "too-many-uploads")


async def test_where_there_is_no_room_an_upload_is_refused_and_leaves_none_taken() -> None:
    spool = Spool(Limits(spool_bytes_max=2 * len(ROW)), None)

    full = await refused(spool, ROW, ROW, ROW)
    async with spool.received("clerk-1", body(ROW, ROW)) as upload:
        assert upload.size == 2 * len(ROW)

    assert (full.status_code, full.kind) == (503, "spool-full")
    assert full.headers == {"Retry-After": "30"}


async def test_a_disk_that_fails_is_no_room(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    spool = Spool(Limits(), tmp_path)

    with pytest.raises(Refusal, match="no room"):
        await spool._add(Upload(Full()), ROW * 50_000)


async def test_a_directory_that_is_away_is_no_room(tmp_path: Path) -> None:
    spool = Spool(Limits(), tmp_path / "away")

    assert (await refused(spool, ROW)).kind == "spool-full"
    assert (await refused(spool, ROW)).kind == "spool-full"  # and nothing of the first is held


async def test_one_client_s_files_wait_for_each_other_and_others_are_taken_in() -> None:
    spool = Spool(Limits(uploads_taken_in_max=2, uploads_taken_in_per_client_max=1), None)
    taken: list[str] = []

    async def takes(client: str) -> None:
        async with spool.received(client, body(ROW)):
            taken.append(client)

    async with spool.received("clerk-1", body(ROW)):
        second = asyncio.create_task(takes("clerk-1"))
        await takes("clerk-2")
        assert (taken, second.done()) == (["clerk-2"], False)
    await second

    assert taken == ["clerk-2", "clerk-1"]
    assert not spool._turns_of_client
