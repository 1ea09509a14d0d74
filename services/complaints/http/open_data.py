"""Open data of complaints: how many there were, for everybody, and nothing of any one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_one_of
from libs.chassis.bodies import Day
from libs.chassis.csv_download import MEDIA_TYPE, download
from libs.chassis.middleware import Asked
from libs.chassis.pagination import ITEMS_MAX, Page, Paging
from libs.chassis.service import StoreOf
from libs.events.store.postgres import Store
from services.complaints.domain.deadlines import Level
from services.complaints.http.cases import PoliciesOf
from services.complaints.policy import Policies
from services.complaints.tables.open_data import Count, CountsWanted, Rank, counts

Anybody = Annotated[Principal, require_one_of("complaints:follow", "complaints:read")]
Since = Annotated[
    Day | None, Query(description="Only months from that of this day on; all where left out.")
]

# Of a smaller area a count would be one of fewer cases than what is told of its regency.
Area = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{2}(\.[0-9]{2})?$",
        description="Only this province or regency, by its dotted code.",
    ),
]

router = APIRouter(prefix="/open-data", tags=["complaints"])


class CaseCount(BaseModel):
    """Cases of a category that came in within a month, in a regency, by the level at which they
    began. A count under the least that is told is left out; no sum is told from which it follows.
    """

    month: str
    regency: str
    category: str
    level: Level
    cases: int


COLUMNS: Final = tuple(CaseCount.model_fields)


@router.get("/cases")
async def count_cases(
    store: StoreOf,
    _anybody: Anybody,
    paging: Paging,
    context: Asked,
    policies: PoliciesOf,
    since: Since = None,
    area: Area = None,
) -> Page[CaseCount]:
    """Counts of cases by month, regency, category and level, of months that are over."""
    wanted = _wanted(policies, policies.day_in_the_capital(context.at), since, area)
    found, following = paging.cut(
        await counts(store, wanted, paging.after(Rank), paging.rows), _rank
    )
    items = [CaseCount(**count._asdict()) for count in found]
    return Page[CaseCount](items=items, next=following)


@router.get(
    "/cases.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
async def download_counts(
    store: StoreOf,
    _anybody: Anybody,
    context: Asked,
    policies: PoliciesOf,
    since: Since = None,
    area: Area = None,
) -> StreamingResponse:
    """The same counts as a file, whole."""
    wanted = _wanted(policies, policies.day_in_the_capital(context.at), since, area)
    return download("complaints.csv", COLUMNS, _pages(store, wanted))


async def _pages(store: Store, wanted: CountsWanted) -> AsyncIterator[Sequence[Count]]:
    after: Rank | None = None
    while page := await counts(store, wanted, after, ITEMS_MAX):
        yield page
        after = _rank(page[-1])


def _wanted(policies: Policies, today: date, since: date | None, area: str | None) -> CountsWanted:
    return CountsWanted(
        until=today.replace(day=1),
        least=policies.handling_on(today).open_data,
        since=since and since.replace(day=1),
        area=area,
    )


def _rank(count: Count) -> Rank:
    return Rank(count.month, count.regency, count.category, count.level)
