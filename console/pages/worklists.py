"""The work lists: what waits in the reader's regions and how much, and views of the reader's."""

from __future__ import annotations

from typing import Any, Final

from console.page import Leads, Page, PageRefused, Shown, Visit
from console.views import Views
from services.projection.tables.worklists import LISTS, WorkWanted, counted


async def show(visit: Visit) -> Shown:
    """Every list with how much stands on it in the area that is asked for."""
    visit.only("region")
    area, regions = visit.regions()
    tahap = await visit.tahap()
    lists: list[dict[str, Any]] = []
    for name, found in LISTS.items():
        if found.of_a_tahap and tahap is None:
            continue
        wanted = WorkWanted(name, regions, tahap if found.of_a_tahap else None)
        rows = sum(count for _, _, count in await counted(visit.reading, wanted, 0))
        href = visit.link(f"/work-lists/{name}", region=area)
        lists.append({"name": name, "rows": rows, "href": href, "of_tahap": found.of_a_tahap})
    views = [
        {"name": view.name, "list": view.list, "href": visit.link(_path(view.list), **view.filters)}
        for view in await Views(visit.store.pool, visit.reader.subject).all()
        if view.list in LISTS
    ]
    return Shown("worklists.html", {"area": area, "tahap": tahap, "lists": lists, "views": views})


def _path(name: str) -> str:
    return f"/work-lists/{name}"


async def drop(visit: Visit) -> Leads:
    """Keep one of the reader's views no more."""
    if "view" not in visit.form:
        raise PageRefused(422, "bad_request")
    await Views(visit.store.pool, visit.reader.subject).drop(visit.form["view"])
    return Leads(visit.link("/work-lists"))


PAGE: Final = Page("worklists", "/work-lists", show, menu=30, act=drop)
