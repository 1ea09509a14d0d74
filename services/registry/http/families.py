"""Files into the register, families out of it, and the one look-up that says who somebody is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, is_outside, require
from libs.chassis.bodies import FamilyUnknown, Id, Nik, Strict
from libs.chassis.etag import etag
from libs.chassis.idempotency import ReadsOnly
from libs.chassis.imports import Report, Take, import_route
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.operations import POSITION_MAX
from libs.chassis.problems import Refusal
from libs.chassis.reads import LookUpLimitReached
from libs.chassis.regions import require_family
from libs.chassis.service import StoreOf
from libs.events.domain.errors import NotFound
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.registry.contract import FAMILY
from services.registry.domain.family import roster
from services.registry.domain.family.state import known_by as facts_known_by
from services.registry.http.csv_commands import CsvImport, RowsReport
from services.registry.http.csv_rows import FAMILY_COLUMNS, LIFE_EVENT_COLUMNS, MEMBER_COLUMNS
from services.registry.policy.look_ups import LookUpRules
from services.registry.tables import identity_rows
from services.registry.tables.erasures import ensure_not_erased

Importer = Annotated[Principal, require("registry:import")]
Reader = Annotated[Principal, require("registry:read")]
FamilyReader = Annotated[Principal, require_family("registry:read")]
Identifier = Annotated[Principal, require("registry:identify")]
CsvImportOf = Annotated[CsvImport, resource("csv_import")]
KeysOf = Annotated[KeyRing, resource("keys")]
LookUpsOf = Annotated[LookUpRules, resource("look_ups")]

router = APIRouter(tags=["registry"])


class ReportOfRows(Report):
    """The outcome of a file, with a count of the accepted rows that wait for a second person.

    They are changes that move money up or elsewhere; see GET /changes?batch= with the file's job.
    """

    proposed: int


# -- Files ----------------------------------------------------------------------------------------


@import_route(router, "families", FAMILY_COLUMNS, RowsReport, ReportOfRows)
async def import_families(csv_import: CsvImportOf, importer: Importer) -> Take[RowsReport]:
    """Candidate families of the integrated social data, one a row."""
    return csv_import.for_(importer).families


@import_route(router, "members", MEMBER_COLUMNS, RowsReport, ReportOfRows)
async def import_members(csv_import: CsvImportOf, importer: Importer) -> Take[RowsReport]:
    """The people of the families' cards, one a row; an odd NIK is a fact, not a bad row."""
    return csv_import.for_(importer).members


@import_route(router, "life-events", LIFE_EVENT_COLUMNS, RowsReport, ReportOfRows)
async def import_life_events(csv_import: CsvImportOf, importer: Importer) -> Take[RowsReport]:
    """Data updates, one a row, in the order in which they were reported."""
    return csv_import.for_(importer).life_events


# -- Families -------------------------------------------------------------------------------------


class FamilyView(BaseModel):
    """A family as it stands, without anything personal; `members` are its living ones.

    `graduates_from` is the day from which a closing lets it graduate, while it holds no category.
    """

    family: UUID
    region: str
    members: int
    status: str | None
    reason: str | None
    last_listed: str | None
    departure: str | None
    graduates_from: date | None


AsOf = Annotated[date, Query(description="The day in question: what was true then.")]
KnownBy = Annotated[date, Query(description="Only what had been reported by this day.")]
At = Annotated[
    int | None,
    Query(ge=1, le=POSITION_MAX, description="Only what stood in the log by this position."),
]


@router.get("/families/{family}", responses=refuses(FamilyUnknown) | UNCHANGED)
async def family(
    family: UUID,
    store: StoreOf,
    reader: FamilyReader,
    response: Response,
    as_of: AsOf = date.max,
    known_by: KnownBy = date.max,
    at: At = None,
) -> FamilyView:
    """A family's standing in the programme, on any day and as it was known on any day.

    A tahap's list has `as_of` and `known_by` its closing date, and `at` its cut. Who may see it is
    decided by where the family lives today.
    """
    stream_id = f"family-{family}"
    async with store.looking() as unit:
        await ensure_not_erased(unit, str(family))
        found = (await unit.load(FAMILY, [stream_id], at)).get(stream_id)
    state = facts_known_by(found.at_cut, known_by) if found else None
    if found is None or state is None or not state.family:
        raise FamilyUnknown(family=family)
    response.headers["ETag"] = etag(found.version)
    return FamilyView(
        family=family,
        region=roster.region(state, as_of),
        members=sum(roster.living(state, member, as_of) for member in state.members),
        status=state.designation.status if state.designation else None,
        reason=state.designation.reason if state.designation else None,
        last_listed=state.listed.tahap if state.listed else None,
        departure=state.departure.kind if state.departure else None,
        graduates_from=state.waiting.graduates_from if state.waiting else None,
    )


# -- Who somebody is ------------------------------------------------------------------------------


class LookUpFor(Strict):
    """The purpose of a look-up, as a code; without a known one nothing is told."""

    purpose: Annotated[str | None, Field(max_length=40)] = None

    def ensure_purpose(self, rules: LookUpRules) -> str:
        """The purpose; raises 422 where none is named, or one that is not in the list."""
        if self.purpose is None or self.purpose not in rules.purposes:
            codes = ", ".join(rules.purposes)
            raise Refusal(422, "purpose-unknown", f"Name a purpose, one of {codes}.")
        return self.purpose


class Wanted(LookUpFor):
    """Whose identities are asked for, and for what."""

    families: Annotated[list[Id], Field(min_length=1, max_length=identity_rows.IDENTITIES_MAX)]


class MemberIdentity(BaseModel):
    """A member's number within the family, and their NIK as the card has it."""

    member: int
    nik: str


class FamilyIdentity(BaseModel):
    """A family's card number and its members' NIKs, in clear."""

    family: UUID
    no_kk: str
    members: list[MemberIdentity]


@router.post(
    "/identities/lookup",
    dependencies=[ReadsOnly],
    response_model=list[FamilyIdentity],
    responses=refuses((422, "purpose-unknown"), LookUpLimitReached),
)
async def identities(
    body: Wanted,
    store: StoreOf,
    keys: KeysOf,
    look_ups: LookUpsOf,
    context: Asked,
    identifier: Identifier,
    noted: Noted,
) -> Any:
    """Who families are: personal data in clear, so every look-up names a purpose and is on record.

    Families that are not registered in the regions of the token, or whose key was destroyed, are
    left out. Whoever is asked for counts towards the day's limit, told or not.
    """
    purpose, today = body.ensure_purpose(look_ups), context.at.date()
    wanted = [str(family_id) for family_id in body.families]
    stored = await identity_rows.identities(store, wanted, today)
    found = [identity for identity in stored if not is_outside(identifier, identity.region)]
    shown = [identity.family for identity in found]
    await noted.look_up(purpose, len(wanted), shown, look_ups.limit_on(today))
    fetched = await keys.fetch_each([identity.family for identity in found])
    sealer = Sealer(fetched)
    living = {key.family for key in fetched.values() if key.secrets}
    return [_opened(identity, sealer) for identity in found if identity.family in living]


class Card(LookUpFor):
    """A family card, by its number, and for what its family is asked for."""

    no_kk: Nik


class CardFamily(BaseModel):
    """The family of a card."""

    family: UUID


class CardUnknown(NotFound):
    """No family is registered under this card."""


@router.post(
    "/identities/by-card",
    dependencies=[ReadsOnly],
    responses=refuses((422, "purpose-unknown"), CardUnknown, LookUpLimitReached),
)
async def by_card(
    body: Card,
    store: StoreOf,
    csv_import: CsvImportOf,
    look_ups: LookUpsOf,
    context: Asked,
    identifier: Identifier,
    noted: Noted,
) -> CardFamily:
    """Which family a card is: the number comes in the body alone, and the look-up is on record.

    A card that nobody has in the token's regions leaves a look-up without a family.
    """
    purpose, today = body.ensure_purpose(look_ups), context.at.date()
    tokens = await csv_import.recognition.of(cards=[body.no_kk], keep=False)
    found = await identity_rows.family_of_card(store, tokens.card(body.no_kk), today)
    shown = [found[0]] if found and not is_outside(identifier, found[1]) else []
    await noted.look_up(purpose, 1, shown, look_ups.limit_on(today))
    if not shown:
        raise CardUnknown()
    return CardFamily(family=UUID(shown[0]))


def _opened(identity: identity_rows.Identity, sealer: Sealer) -> FamilyIdentity:
    return FamilyIdentity(
        family=UUID(identity.family),
        no_kk=sealer.unseal(identity.family, "no_kk", identity.card),
        members=[
            MemberIdentity(member=member, nik=sealer.unseal(identity.family, "nik", nik))
            for member, nik in identity.niks.items()
        ],
    )
