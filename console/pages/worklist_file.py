"""A work list whole, as CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from console.page import Download, Page, Visit
from console.worklists import Asked, asked_list, counts_of, shown
from services.projection.tables.worklists import work

COLUMNS: Final = (
    *("family", "region", "name", "tahap", "reason", "since", "due_on", "rupiah", "times"),
    "reference",
)
PART_ROWS: Final = 1_000


async def show(visit: Visit) -> Download:
    """All rows that the filters leave."""
    asked = await asked_list(visit)
    await counts_of(visit, asked)  # refuses a reason that nothing waits for
    return Download(f"{asked.wanted.name}.csv", COLUMNS, _parts(visit, asked))


async def _parts(visit: Visit, asked: Asked) -> AsyncIterator[list[dict[str, Any]]]:
    after = None
    while rows := await work(visit.reading, asked.wanted, after, PART_ROWS):
        yield [shown(row) for row in rows]
        if len(rows) < PART_ROWS:
            return
        after = rows[-1].rank, rows[-1].id


PAGE: Final = Page("worklists", "/work-lists/{list}/file", show)
