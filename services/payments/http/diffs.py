"""A list beside the last one that was frozen, for whoever proposes or approves its freeze."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.bodies import TahapId, TahapUnknown
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.service import StoreOf
from services.payments.contract import TAHAP
from services.payments.domain.list_diff import Difference
from services.payments.domain.shared.errors import StepNotReached
from services.payments.domain.shared.ids import REGULAR
from services.payments.http.list_answers import DiffFigures
from services.payments.http.schemas import Kind
from services.payments.http.tahap import NationReader
from services.payments.tables.list_diffs import ShownDiff, diff_shown

router = APIRouter(tags=["payments"])


class DifferentFamily(BaseModel):
    """A family that differs: where it lives, how, and its rupiah on either list, before any cut."""

    family: UUID
    region: str
    changes: list[str]
    before: int
    after: int
    members: int


class DiffView(BaseModel):
    """A run's list beside the last frozen one; without `figures` none was frozen before.

    `families` are the first of each change by id, `largest` those whose rupiah grow most; figures
    and hash are of all.
    """

    tahap: str
    kind: str
    figures: DiffFigures | None
    families: list[DifferentFamily]
    largest: list[DifferentFamily]


@router.get("/tahap/{tahap}/diff", responses=refuses(TahapUnknown, StepNotReached))
async def list_diff(
    tahap: TahapId, store: StoreOf, _reader: NationReader, noted: Noted, kind: Kind = REGULAR
) -> DiffView:
    """The differences of a list that is ready; maker and checker name `to_acknowledge`."""
    async with store.looking() as look:
        found = (await look.load(TAHAP, [TAHAP.stream(tahap)])).get(TAHAP.stream(tahap))
        if found is None:
            raise TahapUnknown(tahap=tahap)
        diff = found.state.open_list(kind).require_ready().diff
        shown = await diff_shown(look, tahap, kind, diff.hash) if diff else ShownDiff()
    view = DiffView(
        tahap=tahap,
        kind=kind,
        figures=DiffFigures.of(diff) if diff else None,
        families=_shown(shown.families),
        largest=_shown(shown.largest),
    )
    return await noted(view)


def _shown(families: Iterable[Difference]) -> list[DifferentFamily]:
    return [
        DifferentFamily(
            family=UUID(found.family),
            region=found.region,
            changes=list(found.changes),
            before=found.before,
            after=found.after,
            members=found.members,
        )
        for found in families
    ]
