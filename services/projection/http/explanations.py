"""Explanations of a family's amount over HTTP: within its region, and never unnoticed."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.chassis.bodies import FamilyUnknown, TahapId, TahapUnknown
from libs.chassis.openapi import refuses
from libs.chassis.reading import ReadingOf
from libs.chassis.service import StoreOf
from libs.events.store.model import encode
from services.projection.explanation.answer import Explanation
from services.projection.explanation.why import explain
from services.projection.http.read_models import FamilyReader
from services.projection.tables import explained_messages

router = APIRouter(tags=["projection"])


@router.get(
    "/families/{family}/tahap/{tahap}/why",
    response_model=Explanation,
    responses=refuses(FamilyUnknown, TahapUnknown, explained_messages.HistoryTooLong),
)
async def why(
    family: UUID,
    tahap: TahapId,
    store: StoreOf,
    reading: ReadingOf,
    reader: FamilyReader,
) -> Response:
    """Why this amount, or none: facts, clauses, arithmetic and papers, as known at its closing.

    Who is in a family and what is owed to whom are personal data, so every answer is written down
    with its reader.
    """
    story = await explained_messages.story(reading, reader.regions, family, tahap)
    if story is None:
        raise TahapUnknown(tahap=tahap)
    return Response(encode(explain(story)), media_type="application/json")
