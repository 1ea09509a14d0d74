"""Writes an answer file from the journal, a few kilobytes at a time, with headers that prove it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from fastapi.responses import JSONResponse, Response, StreamingResponse

from simulators.desk import Receipt
from simulators.journal import Block, Line
from simulators.request_file import LAYOUT
from simulators.signing import Signing, signed_json

CHUNK_BYTES = 1 << 16
ASK_AGAIN_S = 1


@dataclass(slots=True)
class Tally:
    """The totals of an answer file, counted while it is written; money in rupiah."""

    count: int = 0
    sum: int = 0
    good_count: int = 0
    good_sum: int = 0

    def add(self, amount: int, good: bool) -> None:
        """Count one line; `good`: its account passed, its payment was credited."""
        self.count += 1
        self.sum += amount
        if good:
            self.good_count += 1
            self.good_sum += amount


Rows: TypeAlias = Callable[[Tally], Iterator[str]]


def header(kind: str, block: Block) -> str:
    """The H record of an answer; it ends with the hash of the file that was taken."""
    return f"H,{LAYOUT},{kind},{block.file_id},{block.on},{block.whole.sha256}"


def counted(lines: Iterable[Line], tally: Tally, good: str) -> Iterator[Line]:
    """The lines as they are, each added to the tally."""
    for line in lines:
        tally.add(line.amount, line.status == good)
        yield line


def taken(receipt: Receipt, signing: Signing | None) -> Response:
    """A file is taken: now, or when the same bytes came before."""
    block = receipt.block
    whole = block.whole
    receipt_body = {
        "file": block.file_id,
        "count": whole.count,
        "sum": whole.sum,
        "sha256": whole.sha256,
    }
    return signed_json(signing, receipt_body, 200 if receipt.again else 202)


def not_ready() -> Response:
    """The answer is still being worked on."""
    return JSONResponse({"state": "WORKING"}, 202, headers={"Retry-After": str(ASK_AGAIN_S)})


async def respond(rows: Rows, signing: Signing | None, *, with_sum: bool) -> Response:
    """Stream an answer file; it is written twice, once to know what its headers must say."""
    tally = Tally()
    digest, length = await asyncio.to_thread(_measure, rows, tally)
    headers = {
        "Content-Digest": f"sha-256=:{digest}:",
        "Content-Length": str(length),
        "X-Record-Count": str(tally.count),
    }
    if signing is not None:
        headers |= signing.headers(headers["Content-Digest"])
    if with_sum:
        headers["X-Control-Sum"] = str(tally.sum)
    return StreamingResponse(_chunks(rows(Tally())), headers=headers, media_type="text/csv")


def _measure(rows: Rows, tally: Tally) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    for chunk in _chunks(rows(tally)):
        digest.update(chunk)
        length += len(chunk)
    return base64.b64encode(digest.digest()).decode(), length


def _chunks(rows: Iterator[str]) -> Iterator[bytes]:
    chunk = bytearray()
    for row in rows:
        chunk += row.encode() + b"\n"
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
