"""The first page, a tahap in one area: indicators and targets, families, money, its parts."""

from __future__ import annotations

from typing import Any, Final

from console.areas import Sums, parts_of, path_to, title_of
from console.charts import WIDTH, Part, share, stacked
from console.page import Page, Shown, Visit
from console.words import Words
from services.projection.policy import INDICATORS, SCALE, Indicator, Target, targets_of
from services.projection.tables import areas, figures, read_models

FAMILIES_MAX: Final = 200
VILLAGE_LENGTH: Final = 13


async def show(visit: Visit) -> Shown:
    """The tahap and the area that are asked for; else the latest, and all that the reader sees."""
    visit.only("tahap", "region")
    tahap = await visit.tahap()
    area, regions = visit.regions()
    if tahap is None:
        return Shown("nothing_yet.html")
    rows = await areas.by_area(visit.reading, tahap, area, regions)
    sums = Sums.of(rows)
    data = {
        "tahap": tahap,
        "tahaps": await visit.tahaps(),
        "area": area,
        "above": _above(visit, area),
        "name": title_of(area) if area else None,
        "sums": sums,
        "families_chart": stacked(family_parts(visit.words, sums)),
        "money_chart": stacked(money_parts(visit.words, sums)),
        "indicators": await _indicators(visit, tahap, regions),
        "areas": [] if _is_village(area) else _parts(visit, tahap, rows),
        "listed": await _listed(visit, tahap, regions) if _is_village(area) else [],
        "listed_max": FAMILIES_MAX,
    }
    return Shown("overview.html", data)


def _is_village(area: str | None) -> bool:
    return area is not None and len(area) == VILLAGE_LENGTH


def _above(visit: Visit, area: str | None) -> list[dict[str, str]]:
    """The areas above, as far as the reader may see them as a whole."""
    return [
        {"code": code, "name": title_of(code)}
        for code in path_to(area)
        if visit.reader.may_see(code)
    ]


def family_parts(t: Words, sums: Sums) -> list[Part]:
    """Families by state, for a bar."""
    return [
        Part(
            state.lower(),
            t.code("state", state),
            t("families_say", count=t.number(sums.of_state[state])),
            sums.of_state[state],
        )
        for state in sums.states
    ]


def money_parts(t: Words, sums: Sums) -> list[Part]:
    """Money by state, for a bar."""
    return [
        Part(
            state.lower(),
            t.code("state", state),
            t.rupiah(sums.money_of_state[state]),
            sums.money_of_state[state],
        )
        for state in sums.states
    ]


async def _indicators(visit: Visit, tahap: str, regions: tuple[str, ...]) -> list[dict[str, Any]]:
    """Every indicator of the programme in these regions, beside its target."""
    found = await figures.indicators(visit.reading, regions, tahap)
    targets = targets_of(tahap)
    return [
        _beside(name, part, whole, targets.of(name))
        for name in INDICATORS
        for whole, part in (found[name],)
    ]


def _beside(name: Indicator, part: int, whole: int, target: Target) -> dict[str, Any]:
    return {
        "name": name.lower(),
        "part": part,
        "whole": whole,
        "share": share(part, whole),
        "target": target.per_100000,
        "goal": target.per_100000 * WIDTH // SCALE,
        "at_most": target.at_most,
        "met": target.is_met(part, whole),
    }


def _parts(visit: Visit, tahap: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "area": code,
            "name": title_of(code),
            "href": visit.link("/", tahap=tahap, region=code),
            "sums": sums,
            "paid": sums.of_state.get("PAID", 0),
            "failed": sum(
                sums.of_state.get(state, 0)
                for state in ("TRANSFER_FAILED", "ACCOUNT_FAILED", "NO_VALID_PAYEE")
            ),
        }
        for code, sums in parts_of(rows).items()
    ]


async def _listed(visit: Visit, tahap: str, regions: tuple[str, ...]) -> list[dict[str, Any]]:
    wanted = read_models.EntitlementsWanted(tahap, regions)
    return await read_models.entitlements(visit.reading, wanted, None, FAMILIES_MAX)


PAGE: Final = Page("overview", "/", show, menu=10)
