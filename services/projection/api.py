"""Read models over HTTP: rows of a tahap, sums, and a family's timeline, each within its region."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, ensure_may_see, require
from libs.chassis.service import StoreOf
from libs.events.errors import NotFound
from services.projection import views

Reader = Annotated[Principal, require("projection:read")]
Limit = Annotated[int, Query(ge=1, le=views.PAGE_ROWS_MAX)]
After = Annotated[UUID | None, Query(description="The last family of the page before.")]
TahapId = Annotated[str, Query(pattern=r"^\d{4}-\d{1,2}$")]

router = APIRouter(tags=["projection"])


class FamilyUnknown(NotFound):
    """Nothing is known of this family."""


class Designation(BaseModel):
    """How a family was judged at its first closing."""

    family: UUID
    tahap: str
    status: str
    reason: str
    region: str


class Entitlement(BaseModel):
    """What a tahap came to for a family; amounts in whole rupiah."""

    tahap: str
    family: UUID
    region: str
    components: str
    amount: int
    commitment: str
    failing: list[int]
    disposition: str
    account_check: str
    transfer: str
    released: int
    returned: int


class Happening(BaseModel):
    """One message of the platform, as it was published."""

    at: datetime
    position: int
    type: str
    body: Any


class FamilyHappening(Happening):
    """One message about a family, and the service that said it."""

    source: str


@router.get("/designations")
async def designations(
    store: StoreOf, reader: Reader, after: After = None, limit: Limit = views.PAGE_ROWS_MAX
) -> list[Designation]:
    """A page of designations in order of family id; ask again `after` its last family."""
    rows = await views.designations(store, reader.regions, str(after) if after else None, limit)
    return [Designation(**row) for row in rows]


@router.get("/entitlements")
async def entitlements(
    store: StoreOf,
    reader: Reader,
    tahap: TahapId,
    after: After = None,
    limit: Limit = views.PAGE_ROWS_MAX,
) -> list[Entitlement]:
    """A page of a tahap's rows in order of family id; ask again `after` its last family."""
    key = str(after) if after else None
    rows = await views.entitlements(store, tahap, reader.regions, key, limit)
    return [Entitlement(**row) for row in rows]


@router.get("/tahap/{tahap}/summary")
async def summary(store: StoreOf, reader: Reader, tahap: str) -> dict[str, int]:
    """A tahap's sums in rupiah and counts; of the whole nation."""
    ensure_may_see(reader, "")
    return await views.summary(store, tahap)


@router.get("/tahap/{tahap}/events")
async def tahap_events(store: StoreOf, reader: Reader, tahap: str) -> list[Happening]:
    """The documents and decisions of a tahap, in order."""
    rows = await views.tahap_events(store, tahap)
    return [Happening(**row | {"body": msgspec.json.decode(row["body"])}) for row in rows]


@router.get("/families/{family}/timeline")
async def timeline(store: StoreOf, reader: Reader, family: UUID) -> list[FamilyHappening]:
    """All that the platform has said about a family, oldest first."""
    region = await views.family_region(store, str(family))
    if region is None:
        raise FamilyUnknown()
    ensure_may_see(reader, region)
    rows = await views.timeline(store, str(family))
    return [FamilyHappening(**row | {"body": msgspec.json.decode(row["body"])}) for row in rows]
