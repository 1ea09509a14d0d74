"""Groups and their sessions: how many families they reach, where, and each facilitator's load."""

from __future__ import annotations

from typing import Any, Final

from console.areas import path_to, title_of
from console.charts import share
from console.page import OtherSilent, Page, PageRefused, Shown, Visit
from services.projection.policy import SCALE, targets_of
from services.projection.policy.areas import Level, below, level_of
from services.projection.tables import figures, sessions
from services.projection.tables.figures import FiguresWanted
from services.projection.tables.models import ModelName

GROUPS_MAX: Final = 50
FACILITATORS_MAX: Final = 50
AREAS_MAX: Final = 600
GROUP_CHARACTERS_MAX: Final = 64
LOADS_MAX: Final = 1_000


async def show(visit: Visit) -> Shown:
    """The tahap's sessions in one area: what they reached, by its parts, facilitators, groups."""
    visit.only("tahap", "region", "cursor")
    tahap = await visit.tahap()
    area, regions = visit.regions()
    if tahap is None:
        return Shown("nothing_yet.html")
    pages = await visit.pages(GROUPS_MAX)
    found = await sessions.groups(visit.reading, tahap, regions, pages.after(str), pages.rows)
    rows, following = pages.cut(found, lambda row: row["group"])
    reached = await _rows(visit, "sessions", tahap, regions, "NATION", "area", 1)
    data: dict[str, Any] = {
        "tahap": tahap,
        "tahaps": await visit.tahaps(),
        "area": area,
        "name": title_of(area) if area else None,
        "above": [
            {"code": code, "name": title_of(code)}
            for code in path_to(area)
            if visit.reader.may_see(code)
        ],
        "whole": reached[0].figures if reached else None,
        "target": _target(tahap),
        "areas": await _parts(visit, tahap, area, regions),
        "facilitators": await _facilitators(visit, tahap, area, regions),
        "groups": [_group(visit, tahap, row) for row in rows],
        "next": visit.link("/groups", tahap=tahap, region=area, cursor=following)
        if following
        else None,
    }
    return Shown("groups.html", data)


def _target(tahap: str) -> dict[str, int]:
    target = targets_of(tahap).of("P2K2")
    return {"per_100000": target.per_100000, "goal": target.per_100000 * 1_000 // SCALE}


async def _rows(
    visit: Visit,
    model: ModelName,
    tahap: str,
    regions: tuple[str, ...],
    level: Level,
    sort: str,
    rows: int,
) -> list[figures.Figure]:
    wanted = FiguresWanted(model, tahap, regions, level, sort)
    return await figures.figures(visit.reading, wanted, None, rows)


async def _parts(
    visit: Visit, tahap: str, area: str | None, regions: tuple[str, ...]
) -> list[dict[str, Any]]:
    level = below(level_of(area))
    if level == "FAMILY":
        return []
    found = await _rows(visit, "sessions", tahap, regions, level, "area", AREAS_MAX)
    return [
        {
            **row.figures,
            "area": row.area,
            "name": title_of(row.area),
            "href": visit.link("/groups", tahap=tahap, region=row.area),
            "share": share(row.figures["reached"], row.figures["families"]),
        }
        for row in found
    ]


async def _facilitators(
    visit: Visit, tahap: str, area: str | None, regions: tuple[str, ...]
) -> dict[str, Any]:
    """Those with the most families first; what they planned and missed is known to p2k2."""
    found = await _rows(
        visit, "facilitators", tahap, regions, "NATION", "-families", FACILITATORS_MAX
    )
    loads = await _loads(visit, tahap, area)
    rows = [
        {**row.figures, "facilitator": row.key, "load": (loads or {}).get(row.key)} for row in found
    ]
    return {"rows": rows, "answers": loads is not None, "most": FACILITATORS_MAX}


async def _loads(visit: Visit, tahap: str, area: str | None) -> dict[str, Any] | None:
    """The year of each facilitator as p2k2 says it; None where it does not answer."""
    query = {"year": tahap.partition("-")[0], "limit": str(LOADS_MAX)}
    try:
        answer = await visit.ask("p2k2", "/loads", query=query | ({"region": area} if area else {}))
    except OtherSilent:
        return None
    if not answer.is_success:
        return None
    return {load["facilitator"]: load for load in answer.json()["items"]}


def _group(visit: Visit, tahap: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of groups; its families are counted, and so stand under another name."""
    size = row["families"]
    return {
        **{name: row[name] for name in row if name != "families"},
        "size": size,
        "name": title_of(row["region"]) if row["region"] else "",
        "share": share(row["reached"], size),
        "href": visit.link(f"/groups/{row['group']}", tahap=tahap),
    }


def group_named(visit: Visit) -> str:
    """The group of the path, in the characters of an office's id; else a 404 page."""
    text: str = visit.request.path_params["group"]
    if len(text) > GROUP_CHARACTERS_MAX or not text.isprintable() or "/" in text:
        raise PageRefused(404, "unknown_group")
    return text


PAGE: Final = Page("groups", "/groups", show, menu=40)
