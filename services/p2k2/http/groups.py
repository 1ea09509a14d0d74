"""Groups over HTTP: who meets where, what was covered, what was missed, what facilitators do."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, is_outside
from libs.chassis.bodies import FamilyUnknown, OfficeId, Strict
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin, require_family
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.p2k2.contract import GROUP
from services.p2k2.domain.group import (
    ArrangeGroup,
    Group,
    GroupUnknown,
    months_missed,
    size_warning,
)
from services.p2k2.domain.session import NoteUnfit
from services.p2k2.http.sessions import (
    READ,
    Officer,
    PoliciesOf,
    Reader,
    Recorder,
    group_within,
    is_theirs,
    own_only,
)
from services.p2k2.tables import coverage
from services.p2k2.tables.groups import group_row, not_erased

FamilyReader = Annotated[Principal, require_family("p2k2:read")]
Year = Annotated[
    int, Query(ge=2007, le=2100, description="The year of the sessions.", examples=[2023])
]

router = APIRouter(tags=["p2k2"])


class GroupInList(BaseModel):
    """A group: its village, its facilitator, the families that belong to it today.

    `warning` says where these are fewer or more than a group should have.
    """

    group: str
    region: str
    facilitator: str
    families: int
    warning: Literal["", "TOO_SMALL", "TOO_LARGE"]


class ModuleOfGroup(BaseModel):
    """A module in a year of a group: so many `sessions` of `of` were held, with so many marks."""

    module: str
    sessions: int
    of: int
    present: int
    marks: int


class GroupView(BaseModel):
    """A group, where and when it meets, what it covered in a year, and the months it missed.

    `reached` of its families were at a session of the year; `target_percent` were to be in a tahap.
    """

    group: str
    region: str
    facilitator: str
    families: list[UUID]
    warning: Literal["", "TOO_SMALL", "TOO_LARGE"]
    venue: str
    schedule: str
    reached: int
    target_percent: int
    modules: list[ModuleOfGroup]
    missed_months: list[str]


class Arrangement(Strict):
    """Where and when a group meets."""

    venue: Annotated[str, Field(max_length=200)] = ""
    schedule: Annotated[str, Field(max_length=200)] = ""


class Load(BaseModel):
    """A facilitator's groups and families, and their sessions of a year.

    `missed` are planned ones whose day has passed without them, `missed_months` the months that
    have ended without a session, counted once a group.
    """

    facilitator: str
    groups: int
    families: int
    planned: int
    held: int
    cancelled: int
    missed: int
    missed_months: int


class ModuleOfFamily(BaseModel):
    """The sessions of a module at which a family was; `completed` where it was at all."""

    module: str
    attended: list[int]
    of: int
    completed: bool


class FamilyCoverage(BaseModel):
    """The sessions that a family attended, by module."""

    family: UUID
    modules: list[ModuleOfFamily]


@router.get("/groups")
async def groups(
    store: StoreOf,
    policies: PoliciesOf,
    context: Asked,
    reader: Reader,
    paging: Paging,
    region: RegionWithin = None,
) -> Page[GroupInList]:
    """The groups, in order of their ids."""
    today, regions = context.at.date(), reader.within(region)
    own, after = own_only(reader, READ), paging.after(str)
    rows = await coverage.groups(store, today, regions, own, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["group"])
    figures = policies.figures(today)
    sizes = figures.families_min, figures.families_max
    items = [GroupInList(**row, warning=size_warning(row["families"], *sizes)) for row in found]
    return Page[GroupInList](items=items, next=following)


@router.get("/groups/{group}", responses=refuses(GroupUnknown))
async def group(
    group: OfficeId,
    store: StoreOf,
    policies: PoliciesOf,
    context: Asked,
    reader: Reader,
    noted: Noted,
    year: Year,
) -> GroupView:
    """One group, and what it covered in a year."""
    row = await group_row(store, group)
    if row is None or is_outside(reader, row.region):
        raise GroupUnknown()
    if not is_theirs(reader, READ, row.facilitator):
        raise GroupUnknown()
    stream = GROUP.stream(group)
    found = (await store.read(GROUP, [stream])).get(stream)
    state, figures = found.state if found else Group(), policies.figures(context.at.date())
    async with store.pool.acquire() as connection:
        families = sorted(await not_erased(connection, state.families))
    held = await coverage.months_held(store, group, year)
    return await noted(
        GroupView(
            group=group,
            region=row.region,
            facilitator=row.facilitator,
            families=[UUID(family) for family in families],
            warning=size_warning(len(families), figures.families_min, figures.families_max),
            venue=state.venue,
            schedule=state.schedule,
            reached=await coverage.reached(store, group, year, families),
            target_percent=figures.reached_percent,
            modules=[
                ModuleOfGroup(**module)
                for module in await coverage.modules_of_group(store, group, year)
            ],
            missed_months=months_missed(year, held, context.at.date()),
        )
    )


@router.post(
    "/groups/{group}/arrangement",
    status_code=204,
    responses=refuses(GroupUnknown, NoteUnfit),
    dependencies=[Unconditional],
)
async def arrange_group(
    group: OfficeId, body: Arrangement, deciding: DecidingOf, recorder: Recorder
) -> Response:
    """Say where and when a group meets; what was said last stands."""

    async def decided(unit: Transaction) -> Reply:
        await group_within(unit, recorder, group)
        command = ArrangeGroup(body.venue, body.schedule)
        return moved(await handle(unit, GROUP, GROUP.stream(group), command))

    return await deciding(decided)


@router.get("/loads")
async def loads(
    store: StoreOf,
    context: Asked,
    reader: Officer,
    paging: Paging,
    year: Year,
    region: RegionWithin = None,
) -> Page[Load]:
    """The work of each facilitator in a year, in order of their ids."""
    regions, after, today = reader.within(region), paging.after(str), context.at.date()
    ended = months_missed(year, (), today)
    rows = await coverage.loads(store, today, regions, year, ended, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["facilitator"])
    return Page[Load](items=[Load(**row) for row in found], next=following)


@router.get("/families/{family}/coverage", responses=refuses(FamilyUnknown))
async def family_coverage(family: UUID, store: StoreOf, reader: FamilyReader) -> FamilyCoverage:
    """At which sessions of each module a family was."""
    rows = await coverage.modules_of_family(store, family)
    return FamilyCoverage(
        family=family,
        modules=[
            ModuleOfFamily(
                module=row["module"],
                attended=row["attended"],
                of=row["of"],
                completed=len(row["attended"]) == row["of"],
            )
            for row in rows
        ],
    )
