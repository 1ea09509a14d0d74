"""Figures of a tahap over HTTP: one route for every model, from the nation down to one family."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.bodies import TahapId, TahapUnknown
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.reading import ReadingOf
from libs.chassis.regions import RegionWithin
from libs.events.domain.errors import DomainError, NotFound
from services.projection.http.read_models import Reader
from services.projection.policy import Target, Targets, indicator_named, targets_of
from services.projection.policy.areas import LEVELS, Level, below, level_of, name_of, names
from services.projection.tables import figures as tables
from services.projection.tables.figures import FiguresWanted
from services.projection.tables.models import MODELS, ModelName

router = APIRouter(tags=["projection"])


class PlaceUnknown(NotFound):
    """No province, regency, district or village of the nation has this code."""


class LevelAboveArea(DomainError):
    """Figures of an area are told at its own level or below it."""


class FigureUnknown(DomainError):
    """The model has no such column to sort by."""


class TargetOfFigure(BaseModel):
    """A target as a share of 100,000, to be reached or `at_most` that, and whether it is met."""

    per_100000: int
    at_most: bool
    met: bool


class AreaFigures(BaseModel):
    """The numbers of an area, or of one family in it, for one `key` of the model.

    `area` is a dotted code, empty for the nation; `name` is what people call it.
    """

    area: str
    name: str
    family: UUID | None
    key: str
    figures: dict[str, int]
    target: TargetOfFigure | None = None


class FiguresModel(BaseModel):
    """The content of a model: by column the meaning, and what its `key` tells apart."""

    model: str
    about: str
    key: str
    columns: dict[str, str]


class TahapKnown(BaseModel):
    """A tahap that was announced: its months, and the day of its closing."""

    tahap: str
    months: list[str]
    closing_date: date


Sort = Annotated[
    str,
    Query(
        pattern="^(area|-?[a-z_0-9]{1,40})$",
        description="`area`, or a column of the model; with a minus before it the greatest first.",
    ),
]


@router.get("/figures")
async def models(_reader: Reader, paging: Paging) -> Page[FiguresModel]:
    """The models of which there are figures, each with its columns, in order of their names."""
    after = paging.after(str) or ""
    found, following = paging.cut(sorted(name for name in MODELS if name > after), str)
    items = [
        FiguresModel(
            model=name,
            about=MODELS[name].about,
            key=MODELS[name].key,
            columns=dict(MODELS[name].columns),
        )
        for name in found
    ]
    return Page[FiguresModel](items=items, next=following)


@router.get("/tahap")
async def tahaps(reading: ReadingOf, reader: Reader, paging: Paging) -> Page[TahapKnown]:
    """The tahaps of which there are figures, latest first."""
    rows = await tables.tahaps(reading, reader.regions, paging.after(str), paging.rows)
    found, following = paging.cut(rows, lambda row: row["tahap"])
    return Page[TahapKnown](items=[TahapKnown(**row) for row in found], next=following)


@router.get(
    "/figures/{model}",
    responses=refuses(TahapUnknown, PlaceUnknown, LevelAboveArea, FigureUnknown),
)
async def figures(
    reading: ReadingOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    model: ModelName,
    tahap: Annotated[TahapId, Query()],
    area: RegionWithin = None,
    level: Annotated[
        Level | None, Query(description="Of the areas told; left out, the next below the area.")
    ] = None,
    sort: Sort = "area",
) -> Page[AreaFigures]:
    """The figures of a model in a tahap, by the areas of a level that lie within one.

    A family counts where it lived at the tahap's closing. At the level FAMILY each row is one
    family's, and every answer is written down with its reader.
    """
    level = level or below(level_of(area))
    _check(model, area, level, sort)
    wanted = FiguresWanted(model, tahap, reader.within(area), level, sort)
    after = paging.after(tuple[int, str, str, str])
    rows = await tables.figures(reading, wanted, after, paging.rows)
    if not rows and not await tables.is_announced(reading, reader.regions, tahap):
        raise TahapUnknown(tahap=tahap)
    found, following = paging.cut(rows, lambda row: row.rank)
    items = [_answered(row, targets_of(tahap) if model == "indicators" else None) for row in found]
    return await noted(Page[AreaFigures](items=items, next=following))


def _check(model: ModelName, area: str | None, level: Level, sort: str) -> None:
    """Refuse a rank, a level or a sort that is none."""
    if area is not None and area not in names():
        raise PlaceUnknown(area=area)
    if LEVELS.index(level) < LEVELS.index(level_of(area)):
        raise LevelAboveArea(area=area, level=level)
    if sort != "area" and sort.removeprefix("-") not in MODELS[model].columns:
        raise FigureUnknown(model=model, sort=sort)


def _answered(row: tables.Figure, targets: Targets | None) -> AreaFigures:
    return AreaFigures(
        area=row.area,
        name=name_of(row.area),
        family=UUID(row.family) if row.family else None,
        key=row.key,
        figures=dict(row.figures),
        target=targets and _beside(targets.of(indicator_named(row.key)), row.figures),
    )


def _beside(target: Target, counted: Mapping[str, int]) -> TargetOfFigure:
    met = target.is_met(counted["part"], counted["whole"])
    return TargetOfFigure(per_100000=target.per_100000, at_most=target.at_most, met=met)
