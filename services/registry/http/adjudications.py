"""Persons whom several families name, over HTTP: which there are, and whose one proposes each is.

Another person decides on it as on any change that waits, in GET /changes under ADJUDICATION.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.bodies import FamilyUnknown, Strict
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY
from services.registry.domain.evidence import EvidenceMalformed
from services.registry.domain.family.commands import AdjudicatePerson, Reporter
from services.registry.domain.family.errors import NothingToAdjudicate, PersonUnknown
from services.registry.http.families import CsvImportOf, Reader
from services.registry.http.member_numbers import FamilyImporter, MemberNumber
from services.registry.http.reopenings import registered
from services.registry.tables.person_claims import duplicates, persons_of

router = APIRouter(tags=["registry"])


class DuplicateView(BaseModel):
    """A member whom another family names too, and nothing of that family.

    `counts_here`: this family has the person for money, because it named them first or, where it is
    `decided`, because two people said so.
    """

    family: UUID
    member: int
    region: str
    counts_here: bool
    decided: bool


@router.get("/duplicates")
async def members_elsewhere(
    store: StoreOf,
    reader: Reader,
    paging: Paging,
    noted: Noted,
    family: Annotated[UUID | None, Query(description="Only members of this family.")] = None,
    decided: Annotated[
        bool, Query(description="Those of whom two people have decided; the open ones else.")
    ] = False,
    region: RegionWithin = None,
) -> Page[DuplicateView]:
    """The members whom another family names too, in order of family and member."""
    where, after = reader.within(region), paging.after(tuple[UUID, int])
    async with store.looking() as unit:
        rows = await duplicates(unit, decided, family, where, after, paging.rows)
    found, following = paging.cut(rows, lambda row: (row.family, row.member))
    items = [DuplicateView(**row._asdict()) for row in found]
    return await noted(Page[DuplicateView](items=items, next=following))


class Adjudication(Strict):
    """The ground on which a member is this family's: a document's number, never what it says."""

    evidence: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9./_-]{2,63}$")]


@router.post(
    "/families/{family}/members/{member}/adjudication",
    status_code=204,
    dependencies=[Unconditional],
    responses=refuses(FamilyUnknown, PersonUnknown, NothingToAdjudicate, EvidenceMalformed),
)
async def adjudicate_person(
    family: UUID,
    member: MemberNumber,
    body: Adjudication,
    deciding: DecidingOf,
    csv_import: CsvImportOf,
    importer: FamilyImporter,
) -> Response:
    """Propose that a member whom another family names too is this family's.

    Once another person has let it be, the member counts here from the next list on, and in no
    other family. A later decision for another family takes its place.
    """
    stream = f"family-{family}"

    async def proposed(unit: Transaction) -> Reply:
        found = await registered(unit, family)
        persons = await persons_of(unit, {str(family): found.state})
        command = AdjudicatePerson(
            member=member,
            evidence=body.evidence,
            fingerprint=csv_import.recognition.fingerprint("whose", str(member), body.evidence),
            persons=persons[str(family)],
            reporter=Reporter(importer.subject, batch=""),
        )
        outcome = await handle(unit, FAMILY, stream, command)
        await csv_import.keep(unit, [outcome])
        return moved(outcome)

    return await deciding(proposed)
