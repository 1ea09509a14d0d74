"""The auditor's question to a service: whose data did somebody see, between two moments?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import Moment
from libs.chassis.noting import Noted
from libs.chassis.pagination import Page, Paging
from libs.chassis.reads import READS, FamiliesRead, IdentitiesLookedUp, stream_of
from libs.chassis.service import StoreOf
from libs.events.store.codec import codec_of
from libs.events.store.postgres import Store

Auditor = Annotated[Principal, require_nation("platform:audit")]

Subject = Annotated[
    str,
    Query(max_length=255, description="The name that a token says.", examples=["supervisor-1"]),
]
Since = Annotated[
    Moment,
    Query(description="Of this moment and later ones, in UTC.", examples=["2023-03-01T00:00:00Z"]),
]
Until = Annotated[
    Moment,
    Query(description="Before this moment, in UTC.", examples=["2023-04-01T00:00:00Z"]),
]

RECORDS_MAX: Final = 100  # of a page: each names up to a thousand families
_RECORDS: Final = """
SELECT stream_id, version, type, schema_version, data, occurred_at FROM events
WHERE stream_id >= $1 AND stream_id <= $2 AND (stream_id, version) > ($3, $4)
  AND occurred_at >= $5 AND occurred_at < $6
ORDER BY stream_id, version LIMIT $7
"""

router = APIRouter(tags=["operations"])


class ReadRecord(BaseModel):
    """A record of what somebody was told: by which operation, when, and of which families.

    A look-up of identities has a `purpose` and how many it `asked` for; other reads have neither.
    Of an answer with more than 1,000 families there are several records.
    """

    at: datetime
    operation: str
    purpose: str | None
    asked: int | None
    filters: dict[str, str]
    families: list[UUID]


@router.get("/reads")
async def read_records(
    store: StoreOf,
    auditor: Auditor,
    paging: Paging,
    noted: Noted,
    subject: Subject,
    since: Since,
    until: Until,
) -> Page[ReadRecord]:
    """The records of what a person or a system was told of families, in order of time.

    A page has at most 100 records, whatever `limit` says. To ask is on record too.
    """
    await noted.read()
    pages = replace(paging, limit=min(paging.limit, RECORDS_MAX))
    rows = await _rows(store, subject, since, until, pages.after(tuple[str, int]), pages.rows)
    found, following = pages.cut(rows, lambda row: row[0])
    return Page[ReadRecord](items=[record for _, record in found], next=following)


async def _rows(
    store: Store,
    subject: str,
    since: datetime,
    until: datetime,
    after: tuple[str, int] | None,
    limit: int,
) -> list[tuple[tuple[str, int], ReadRecord]]:
    days = stream_of(subject, since.date()), stream_of(subject, until.date())
    rows = await store.pool.fetch(_RECORDS, *days, *(after or ("", 0)), since, until, limit)
    codec = codec_of(READS)
    found = []
    for stream, version, kind, schema_version, data, at in rows:
        event = codec.decode_event(kind, schema_version, data)
        found.append(((stream, version), _record(event, at)))
    return found


def _record(event: FamiliesRead | IdentitiesLookedUp, at: datetime) -> ReadRecord:
    look_up = event if isinstance(event, IdentitiesLookedUp) else None
    return ReadRecord(
        at=at,
        operation=event.operation,
        purpose=look_up.purpose if look_up else None,
        asked=look_up.asked if look_up else None,
        filters={} if isinstance(event, IdentitiesLookedUp) else dict(event.filters),
        families=[UUID(family) for family in event.families],
    )
