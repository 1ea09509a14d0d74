"""Facts of persons whom no family has, over HTTP: how many, whose, and where the sender finds them.

Neither persons nor what was reported of them are shown: whoever sent a file looks its line up.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_one_of
from libs.chassis.bodies import Month
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from services.conditionality.tables.unmatched import (
    Kind,
    UnmatchedFilter,
    unmatched_counts,
    unmatched_lines,
)

Asker = Annotated[Principal, require_one_of("conditionality:read", "conditionality:record")]
Reporter = Annotated[
    str | None,
    Query(pattern="^[0-9A-Z-]{0,32}$", description="A school's npsn, a facility's code."),
]
Source = Annotated[
    str | None, Query(pattern="^[!-~]{1,64}$", description="The import's job, or a request's id.")
]

router = APIRouter(prefix="/unmatched-facts", tags=["conditionality"])


class UnmatchedFacts(BaseModel):
    """A count of facts of one reporter and month whose persons no family has."""

    kind: Kind
    reporter: str
    month: str
    facts: int


class UnmatchedLine(BaseModel):
    """The origin of such a fact: the line of an import's file; 0 where it came by itself.

    `source` is the import's job, or the id of a single request.
    """

    source: str
    line: int
    kind: Kind
    reporter: str
    month: str
    service: str


@router.get("")
async def unmatched_facts(
    store: StoreOf,
    asker: Asker,
    paging: Paging,
    kind: Kind | None = None,
    reporter: Reporter = None,
    month: Month | None = None,
    region: RegionWithin = None,
) -> Page[UnmatchedFacts]:
    """Facts of persons whom no family has, counted by school or facility and month.

    They are kept, and count once registry knows the person. Those of senders within the token's
    regions are shown.
    """
    wanted = UnmatchedFilter(kind, reporter, month, None, asker.within(region))
    rows = await unmatched_counts(store, wanted, paging.after(tuple[str, str, str]), paging.rows)
    found, following = paging.cut(rows, lambda row: (row["kind"], row["reporter"], row["month"]))
    return Page[UnmatchedFacts](items=[UnmatchedFacts(**row) for row in found], next=following)


@router.get("/lines")
async def unmatched_fact_lines(
    store: StoreOf,
    asker: Asker,
    paging: Paging,
    kind: Kind | None = None,
    reporter: Reporter = None,
    month: Month | None = None,
    source: Source = None,
    region: RegionWithin = None,
) -> Page[UnmatchedLine]:
    """The origin of each of these facts, in order of import, line and month."""
    wanted = UnmatchedFilter(kind, reporter, month, source, asker.within(region))
    rows = await unmatched_lines(
        store, wanted, paging.after(tuple[str, int, str, str]), paging.rows
    )
    found, following = paging.cut(
        rows, lambda row: (row["source"], row["line"], row["month"], row["service"])
    )
    return Page[UnmatchedLine](items=[UnmatchedLine(**row) for row in found], next=following)
