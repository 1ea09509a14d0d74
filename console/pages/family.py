"""A family's page: why this amount, in steps, and its timeline in plain words."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import msgspec

from console.areas import path_to, title_of
from console.page import Page, PageRefused, Shown, Visit
from libs.chassis.auth import is_outside
from services.projection.explanation.why import explain
from services.projection.tables import explained_messages, read_models

HAPPENINGS_MAX: Final = 300
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def show(visit: Visit) -> Shown:
    """All that the platform knows of a family that lives in the reader's regions."""
    visit.only("tahap")
    family, region = await _seen(visit)
    tahap = await visit.tahap()
    story = None
    if tahap is not None:
        story = await explained_messages.story(visit.reading, visit.reader.regions, family, tahap)
    explanation = explain(story) if story else None
    rows = await read_models.timeline(
        visit.reading, visit.reader.regions, family, None, HAPPENINGS_MAX
    )
    data: dict[str, Any] = {
        "family": str(family),
        "lives_in": [{"code": code, "name": title_of(code)} for code in path_to(region)],
        "tahap": tahap,
        "tahaps": await visit.tahaps(),
        "explanation": explanation,
        "happenings": [_happening(visit, row) for row in reversed(rows)],
    }
    return Shown("family.html", data)


async def _seen(visit: Visit) -> tuple[UUID, str]:
    """The family of the path, and the village it lives in; a foreign one is as unknown as one that
    is not there."""
    text = visit.request.path_params["family"]
    if not _ID.fullmatch(text):
        raise PageRefused(404, "unknown_family")
    family, state = UUID(text), visit.request.app.state
    region = await state.lives(visit.store, family, state.clock().date())
    if region is None or is_outside(visit.reader, region):
        raise PageRefused(404, "unknown_family")
    return family, region


def _happening(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    source = row["source"].removeprefix("/services/")
    words = visit.words.happening(row["type"], msgspec.json.decode(row["body"]))
    return {"at": row["at"], "type": row["type"], "source": source, "words": words}


PAGE: Final = Page("family", "/families/{family}", show)
