"""One work list: its rows, page by page, by area and reason, and what its reader may do on it."""

from __future__ import annotations

from typing import Any, Final

from console.actions import actions_of
from console.areas import path_to, title_of
from console.page import Leads, Page, PageRefused, Shown, Visit
from console.views import View, ViewRefused, Views
from console.worklists import OF_NO_TAHAP, SORTS, Asked, Counts, asked_list, counts_of, shown
from services.projection.tables.worklists import LISTS, work

ROWS_MAX: Final = 50
OPTIONAL: Final = ("tahap", "reason", "since", "due_on", "rupiah", "reference")
"""Columns that a list shows where a row of it has something there."""


async def show(visit: Visit) -> Shown:
    """The rows that are asked for, and how many there are for each reason and area."""
    asked = await asked_list(visit, "cursor")
    counts = await counts_of(visit, asked)
    pages = await visit.pages(ROWS_MAX)
    found = await work(visit.reading, asked.wanted, pages.after(tuple[int, str]), pages.rows)
    rows, following = pages.cut(found, lambda row: (row.rank, row.id))
    name, path = asked.wanted.name, f"/work-lists/{asked.wanted.name}"
    listed = [shown(row) for row in rows]
    data: dict[str, Any] = {
        "list": name,
        "area": asked.area,
        "name": title_of(asked.area) if asked.area else None,
        "filters": asked.filters,
        "all": counts.rows,
        "rows": listed,
        "columns": [column for column in OPTIONAL if any(row[column] for row in listed)],
        "counts_times": any(row["times"] > 1 for row in listed),
        "actions": [action.name for action in actions_of(name, visit.reader)],
        **await _ways(visit, asked, counts),
        "next": visit.link(path, **asked.filters, cursor=following) if following else None,
        "first": visit.link(path, **asked.filters) if visit.asked("cursor") else None,
        "file": visit.link(f"{path}/file", **asked.filters),
    }
    return Shown("worklist.html", data)


async def _ways(visit: Visit, asked: Asked, counts: Counts) -> dict[str, Any]:
    """The ways to other rows of the list: addresses with one filter changed."""
    name = asked.wanted.name

    def way(**changed: str | None) -> str:
        return visit.link(f"/work-lists/{name}", **{**asked.filters, **changed})

    tahaps: list[str | None] = [*await visit.tahaps()] if name not in OF_NO_TAHAP else []
    anyway: list[str | None] = [] if LISTS[name].of_a_tahap or not tahaps else [None]
    return {
        "above": [
            {"name": title_of(code), "href": way(region=code)}
            for code in path_to(asked.area)
            if visit.reader.may_see(code)
        ],
        "everywhere": way(region=None),
        "by_tahap": [
            {"tahap": tahap, "href": way(tahap=tahap), "on": tahap == asked.wanted.tahap}
            for tahap in anyway + tahaps
        ],
        "by_reason": [
            {"reason": reason, "rows": rows, "href": way(reason=reason)}
            for reason, rows in counts.reasons
        ],
        "every_reason": way(reason=None),
        "by_area": [
            {"area": code, "name": title_of(code), "rows": rows, "href": way(region=code)}
            for code, rows in counts.areas
            if code
        ],
        "by_sort": [
            {"sort": sort, "href": way(sort=sort), "on": sort == asked.wanted.sort}
            for sort in SORTS
        ],
    }


async def keep(visit: Visit) -> Leads:
    """Keep the list as it is asked for, under a name of the reader's."""
    asked = await asked_list(visit)
    filters = {name: value for name, value in asked.filters.items() if value is not None}
    view = View(visit.form.get("name", "").strip(), asked.wanted.name, filters)
    try:
        await Views(visit.store.pool, visit.reader.subject).keep(view)
    except ViewRefused as refused:
        raise PageRefused(422, str(refused)) from None
    return Leads(visit.link("/work-lists"))


PAGE: Final = Page("worklists", "/work-lists/{list}", show, act=keep)
