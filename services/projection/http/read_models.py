"""Read models over HTTP: rows of a tahap, sums, and a family's timeline, each within its region."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, require, require_nation
from libs.chassis.bodies import FamilyUnknown, TahapId
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.reading import ReadingOf
from libs.chassis.regions import RegionWithin, require_family
from services.projection.tables import areas, read_models

Reader = Annotated[Principal, require("projection:read")]
FamilyReader = Annotated[Principal, require_family("projection:read")]
NationReader = Annotated[Principal, require_nation("projection:read")]
Code = Annotated[str | None, Query(pattern="^[A-Z_]{1,40}$")]

router = APIRouter(tags=["projection"])


class Designation(BaseModel):
    """The judgement of a family at its first closing."""

    family: UUID
    tahap: str
    status: str
    reason: str
    region: str


class Entitlement(BaseModel):
    """The row of a family in a tahap; amounts in whole rupiah.

    `cut` is what of the amount was not paid because the cycle failed; 0 where nothing was ordered.
    """

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
    cut: int


class UnmetDuty(BaseModel):
    """In how many families of a tahap a duty was not passed, for a reason."""

    duty: str
    outcome: str
    reason: str
    families: int


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
    reading: ReadingOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    status: Annotated[Literal["ELIGIBLE", "INELIGIBLE", "HOLD"] | None, Query()] = None,
    reason: Code = None,
    region: RegionWithin = None,
) -> Page[Designation]:
    """The judgements of families at their first closing, in order of family id."""
    wanted = read_models.DesignationsWanted(reader.within(region), status, reason)
    rows = await read_models.designations(reading, wanted, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, _family)
    items = [Designation(**row) for row in found]
    return await noted(Page[Designation](items=items, next=following))


def entitlements_wanted(
    reader: Reader,
    tahap: TahapId,
    commitment: Annotated[Literal["COMPLIANT", "FAILED", "UNVERIFIED"] | None, Query()] = None,
    disposition: Code = None,
    account_check: Code = None,
    transfer: Code = None,
    region: RegionWithin = None,
) -> read_models.EntitlementsWanted:
    """Filters of a tahap's rows, within the token's regions."""
    columns = commitment, disposition, account_check, transfer
    return read_models.EntitlementsWanted(tahap, reader.within(region), *columns)


@router.get("/entitlements")
async def entitlements(
    reading: ReadingOf,
    wanted: Annotated[read_models.EntitlementsWanted, Depends(entitlements_wanted)],
    reader: Reader,
    paging: Paging,
    noted: Noted,
) -> Page[Entitlement]:
    """The rows of a tahap, in order of family id.

    `disposition` is meant before its `+`: BLOCKED finds BLOCKED+INVESTIGATION too.
    `account_check` and `transfer` are OK, CREDITED or the code of why not.
    """
    rows = await read_models.entitlements(reading, wanted, paging.after(UUID), paging.rows)
    found, following = paging.cut(rows, _family)
    items = [Entitlement(**row) for row in found]
    return await noted(Page[Entitlement](items=items, next=following))


def _family(row: Mapping[str, Any]) -> str:
    family: str = row["family"]
    return family


@router.get("/tahap/{tahap}/summary")
async def summary(reading: ReadingOf, reader: NationReader, tahap: TahapId) -> dict[str, int]:
    """A tahap's sums in rupiah and counts; of the whole nation."""
    return await areas.summary(reading, tahap)


@router.get("/tahap/{tahap}/unmet-duties")
async def unmet_duties(
    reading: ReadingOf, reader: NationReader, tahap: TahapId, paging: Paging
) -> Page[UnmetDuty]:
    """Why cycles of a tahap failed or stayed unverified; of the whole nation."""
    rows = await read_models.unmet_duties(
        reading, tahap, paging.after(tuple[str, str, str]), paging.rows
    )
    found, following = paging.cut(rows, lambda row: (row["duty"], row["outcome"], row["reason"]))
    return Page[UnmetDuty](items=[UnmetDuty(**row) for row in found], next=following)


@router.get("/tahap/{tahap}/events")
async def tahap_events(
    reading: ReadingOf, reader: NationReader, tahap: TahapId, paging: Paging, noted: Noted
) -> Page[Happening]:
    """The documents and decisions of a tahap, in order; of the whole nation."""
    rows = await read_models.tahap_events(reading, tahap, paging.after(int), paging.rows)
    found, following = paging.cut(rows, lambda row: row["position"])
    items = [Happening(**_opened(row)) for row in found]
    return await noted(Page[Happening](items=items, next=following))


@router.get("/families/{family}/timeline", responses=refuses(FamilyUnknown))
async def timeline(
    reading: ReadingOf, reader: FamilyReader, family: UUID, paging: Paging
) -> Page[FamilyHappening]:
    """All that the platform has said about a family, oldest first; who looks is written down."""
    after = paging.after(tuple[datetime, str, int])
    rows = await read_models.timeline(reading, reader.regions, family, after, paging.rows)
    found, following = paging.cut(rows, lambda row: (row["at"], row["source"], row["position"]))
    items = [FamilyHappening(**_opened(row)) for row in found]
    return Page[FamilyHappening](items=items, next=following)


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "body": msgspec.json.decode(row["body"])}
