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
from services.projection.policy import is_met, targets_of
from services.projection.tables import sessions

router = APIRouter(tags=["projection"])


class GroupInTahap(BaseModel):
    """A group in a tahap: families taking part, sessions held, marks of such families.

    `reached` counts the families that were present at least once, and `met` says whether they are
    the share that was to be reached; `region` is the group's village, empty where no family belongs
    to it.
    """

    group: str
    region: str
    families: int
    sessions: int
    present: int
    excused: int
    absent: int
    reached: int
    target_percent: int
    met: bool


class LearningFamily(BaseModel):
    """A family that took part in a year: different sessions attended, and modules of which all."""

    family: UUID
    sessions_attended: int
    modules_completed: list[str]


class Indicators(BaseModel):
    """Families taking part in a tahap, those of them that were at a session, and whether they are
    the share that was to be reached."""

    p2k2_families: int
    p2k2_reached: int
    p2k2_target_percent: int
    p2k2_met: bool


@router.get("/tahap/{tahap}/groups")
async def groups(
    reading: ReadingOf, reader: Reader, paging: Paging, tahap: TahapId, region: RegionWithin = None
) -> Page[GroupInTahap]:
    """The groups of a tahap, in order of their ids."""
    regions, after = reader.within(region), paging.after(str)
    rows = await sessions.groups(reading, tahap, regions, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["group"])
    percent = targets_of(tahap).p2k2_percent
    items = [
        GroupInTahap(
            **row, target_percent=percent, met=is_met(row["reached"], row["families"], percent)
        )
        for row in found
    ]
    return Page[GroupInTahap](items=items, next=following)


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
    """The indicator of sessions in a tahap, beside its target; of the whole nation."""
    counts = await sessions.indicators(reading, tahap)
    families, reached = counts["p2k2_families"], counts["p2k2_reached"]
    percent = targets_of(tahap).p2k2_percent
    return Indicators(
        p2k2_families=families,
        p2k2_reached=reached,
        p2k2_target_percent=percent,
        p2k2_met=is_met(reached, families, percent),
    )
