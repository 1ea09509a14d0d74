"""Group sessions over HTTP: groups of a tahap, families of a year, the indicator."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.bodies import TahapId
from libs.chassis.noting import Noted
from libs.chassis.pagination import Page, Paging
from libs.chassis.reading import ReadingOf
from libs.chassis.regions import RegionWithin
from services.projection.http.read_models import NationReader, Reader
from services.projection.tables import sessions

router = APIRouter(tags=["projection"])


class GroupInTahap(BaseModel):
    """A group in a tahap: families taking part, sessions held, marks of such families.

    `reached` counts the families that were present at least once; `region` is the group's village,
    empty where no family belongs to it.
    """

    group: str
    region: str
    families: int
    sessions: int
    present: int
    excused: int
    absent: int
    reached: int


class LearningFamily(BaseModel):
    """A family that took part in a year: different sessions attended, and modules of which all."""

    family: UUID
    sessions_attended: int
    modules_completed: list[str]


class Indicators(BaseModel):
    """Families taking part in a tahap, and those of them that were at a session."""

    p2k2_families: int
    p2k2_reached: int


@router.get("/tahap/{tahap}/groups")
async def groups(
    reading: ReadingOf, reader: Reader, paging: Paging, tahap: TahapId, region: RegionWithin = None
) -> Page[GroupInTahap]:
    """The groups of a tahap, in order of their ids."""
    regions, after = reader.within(region), paging.after(str)
    rows = await sessions.groups(reading, tahap, regions, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["group"])
    return Page[GroupInTahap](items=[GroupInTahap(**row) for row in found], next=following)


@router.get("/learning-families")
async def learning_families(
    reading: ReadingOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    year: Annotated[str, Query(pattern="^(200[7-9]|20[1-9][0-9]|2100)$", examples=["2023"])],
    region: RegionWithin = None,
) -> Page[LearningFamily]:
    """The families that took part in a year, in order of id.

    A session counts that was attended in a tahap in which the family took part.
    """
    regions, after = reader.within(region), paging.after(UUID)
    rows = await sessions.learning_families(reading, year, regions, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["family"])
    items = [LearningFamily(**row) for row in found]
    return await noted(Page[LearningFamily](items=items, next=following))


@router.get("/tahap/{tahap}/indicators")
async def indicators(reading: ReadingOf, reader: NationReader, tahap: TahapId) -> Indicators:
    """The indicator of sessions in a tahap; of the whole nation."""
    return Indicators(**await sessions.indicators(reading, tahap))
