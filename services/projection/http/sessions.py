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
from services.projection.policy import INDICATORS, targets_of
from services.projection.tables import figures, sessions

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
    """Each indicator of a tahap as whole, part and target, and whether it is met.

    Families taking part and at a session (`p2k2`), families with a member whom the service is for
    and reached (`health`, `education`), transfers ordered and failed. See /figures/indicators for
    those of an area.
    """

    p2k2_families: int
    p2k2_reached: int
    p2k2_target_percent: int
    p2k2_met: bool
    health_families: int
    health_reached: int
    health_target_percent: int
    health_met: bool
    education_families: int
    education_reached: int
    education_target_percent: int
    education_met: bool
    transfers_ordered: int
    transfers_failed: int
    transfers_failed_target_per_100000: int
    transfers_met: bool


@router.get("/tahap/{tahap}/groups")
async def groups(
    reading: ReadingOf, reader: Reader, paging: Paging, tahap: TahapId, region: RegionWithin = None
) -> Page[GroupInTahap]:
    """The groups of a tahap, in order of their ids."""
    regions, after = reader.within(region), paging.after(str)
    rows = await sessions.groups(reading, tahap, regions, after, paging.rows)
    found, following = paging.cut(rows, lambda row: row["group"])
    targets = targets_of(tahap)
    target, percent = targets.of("P2K2"), targets.p2k2_percent
    items = [
        GroupInTahap(
            **row, target_percent=percent, met=target.is_met(row["reached"], row["families"])
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
    """The indicators of a tahap, each beside its target; of the whole nation."""
    counts, targets = await figures.indicators(reading, reader.regions, tahap), targets_of(tahap)
    met = {name: targets.of(name).is_met(*reversed(counts[name])) for name in INDICATORS}
    return Indicators(
        p2k2_families=counts["P2K2"][0],
        p2k2_reached=counts["P2K2"][1],
        p2k2_target_percent=targets.p2k2_percent,
        p2k2_met=met["P2K2"],
        health_families=counts["HEALTH"][0],
        health_reached=counts["HEALTH"][1],
        health_target_percent=targets.health_percent,
        health_met=met["HEALTH"],
        education_families=counts["EDUCATION"][0],
        education_reached=counts["EDUCATION"][1],
        education_target_percent=targets.education_percent,
        education_met=met["EDUCATION"],
        transfers_ordered=counts["TRANSFERS"][0],
        transfers_failed=counts["TRANSFERS"][1],
        transfers_failed_target_per_100000=targets.transfers_failed_per_100000,
        transfers_met=met["TRANSFERS"],
    )
