"""One group: its families, the sessions that it planned, held and missed, and what they covered."""

from __future__ import annotations

from typing import Any, Final

from console.areas import title_of
from console.charts import share
from console.page import Page, PageRefused, Shown, Visit
from console.pages.groups import group_named
from libs.chassis.forms import day

SESSIONS_MAX: Final = 200


async def show(visit: Visit) -> Shown:
    """The group as p2k2 knows it, in the year of the tahap."""
    visit.only("tahap")
    tahap, group = await visit.tahap(), group_named(visit)
    if tahap is None:
        return Shown("nothing_yet.html")
    year = tahap.partition("-")[0]
    answer = await visit.ask("p2k2", f"/groups/{group}", query={"year": year})
    if not answer.is_success:
        raise PageRefused(404, "unknown_group")
    found = answer.json()
    query = {"group": group, "limit": str(SESSIONS_MAX)}
    listed = await visit.ask("p2k2", "/sessions", query=query)
    held = listed.json()["items"] if listed.is_success else []
    data: dict[str, Any] = {
        **found,
        "name": title_of(found["region"]),
        "tahap": tahap,
        "tahaps": await visit.tahaps(),
        "year": year,
        "share": share(found["reached"], len(found["families"])),
        "missed": [visit.words.month(month) for month in found["missed_months"]],
        "sessions": sorted(
            ({**one, "on": day(one["on"])} for one in held if one["on"].startswith(year)),
            key=lambda one: (one["on"], one["number"]),
        ),
    }
    return Shown("group.html", data)


PAGE: Final = Page("groups", "/groups/{group}", show, scopes=("projection:read", "p2k2:read"))
