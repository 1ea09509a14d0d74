"""Rows as a CSV file that is streamed, for people who open it in a spreadsheet.

A text that a spreadsheet would take for a formula is marked as text, so that what somebody wrote
into a form is never carried out on the desk of whoever reads the file (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from fastapi.responses import StreamingResponse

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


def download(
    name: str, columns: Sequence[str], pages: AsyncIterator[Sequence[Sequence[object]]]
) -> StreamingResponse:
    """The answer with a file of a name: its columns, then the rows of each page as it is read."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(columns, pages), media_type=MEDIA_TYPE, headers=headers)


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines of CSV (RFC 4180), with every text that could be a formula marked as text."""
    lines = io.StringIO()
    csv.writer(lines).writerows([_cell(value) for value in row] for row in rows)
    return lines.getvalue()


async def _lines(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Sequence[object]]]
) -> AsyncIterator[str]:
    yield as_csv([columns])
    async for page in pages:
        yield as_csv(page)


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_BEGINS):
        return f"'{value}"
    return "" if value is None else value
