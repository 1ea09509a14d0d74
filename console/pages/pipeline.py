"""A tahap's pipeline, live: money by state, what each state waits for, and why money came back."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from console.areas import Sums
from console.charts import share, stacked
from console.page import Page, Shown, Visit
from console.pages.overview import money_parts
from libs.chassis.auth import NATION
from services.projection.tables import areas, read_models

DOCUMENTS_MAX: Final = 100


async def show(visit: Visit) -> Shown:
    """The whole page, or the part that htmx asks for again every few seconds."""
    visit.only("region", "tahap")
    tahap = await visit.tahap()
    area, regions = visit.regions()
    if tahap is None:
        return Shown("nothing_yet.html")
    rows = await areas.by_area(visit.reading, tahap, area, regions)
    sums = Sums.of(rows)
    data: dict[str, Any] = {
        "tahap": tahap,
        "tahaps": await visit.tahaps(),
        "area": area,
        "live": visit.link("/pipeline", tahap=tahap, region=area),
        "sums": sums,
        "money_chart": stacked(money_parts(visit.words, sums)),
        "steps": _steps(sums),
        "failures": await areas.failures(visit.reading, tahap, regions),
        "documents": await _documents(visit, tahap, area),
    }
    return Shown("pipeline_live.html" if visit.is_part else "pipeline.html", data)


def _steps(sums: Sums) -> list[dict[str, Any]]:
    """The money by how far it got: owed, ordered, credited, and free for the family."""
    money = sums.money_of_state
    ordered = sum(money.get(state, 0) for state in ("PAID", "BLOCKED", "TRANSFER_FAILED"))
    owed = sums.entitled - sums.cut
    reached = (
        ("owed", owed),
        ("ordered", ordered),
        ("credited", sums.credited),
        ("free", money.get("PAID", 0)),
    )
    return [
        {"name": name, "money": money_there, "share": share(money_there, owed)}
        for name, money_there in reached
    ]


async def _documents(visit: Visit, tahap: str, area: str | None) -> list[dict[str, Any]]:
    """The tahap's documents and decisions, the latest first; they are the nation's."""
    if area is not None or not visit.reader.may_see(NATION):
        return []
    rows = await read_models.tahap_events(visit.reading, tahap, None, DOCUMENTS_MAX)
    return [
        {
            "at": row["at"],
            "type": row["type"],
            "words": visit.words.happening(row["type"], msgspec.json.decode(row["body"])),
        }
        for row in reversed(rows)
    ]


PAGE: Final = Page("pipeline", "/pipeline", show, menu=20)
