"""The modules of the family sessions over HTTP, with what is learnt from at each session."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.bodies import Day
from libs.chassis.middleware import Asked
from libs.chassis.pagination import Page, Paging
from services.p2k2.domain.curriculum import Module
from services.p2k2.http.sessions import PoliciesOf, Reader

router = APIRouter(tags=["p2k2"])


class Lesson(BaseModel):
    """A session of a module: its number, its title, and a reference into the e-learning."""

    session: int
    title: str
    material: str


class ModuleView(BaseModel):
    """A module, and the days on which its sessions count; no `valid_to` is open."""

    module: str
    title: str
    valid_from: date
    valid_to: date | None
    sessions: list[Lesson]


@router.get("/modules")
async def modules(
    policies: PoliciesOf,
    context: Asked,
    reader: Reader,
    paging: Paging,
    on: Annotated[Day | None, Query(description="The day on which they hold; today.")] = None,
) -> Page[ModuleView]:
    """The modules that hold on a day, in their order."""
    behind = paging.after(int) or 0
    holding = policies.holding(on or context.at.date())
    rest = [module for module in holding if module.rank > behind]
    found, following = paging.cut(rest[: paging.rows], lambda module: module.rank)
    return Page[ModuleView](items=[_shown(module) for module in found], next=following)


def _shown(module: Module) -> ModuleView:
    titles = enumerate(zip(module.sessions, module.material, strict=True), start=1)
    return ModuleView(
        module=module.code,
        title=module.title,
        valid_from=module.valid_from,
        valid_to=module.valid_to,
        sessions=[
            Lesson(session=number, title=title, material=material)
            for number, (title, material) in titles
        ],
    )
