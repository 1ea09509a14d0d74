"""The number of a member who has none: said by one person, and named when another lets it be."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from libs.chassis.auth import Principal
from libs.chassis.bodies import FamilyUnknown, Nik, Strict
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.openapi import refuses
from libs.chassis.regions import require_family
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from libs.privacy.sealing import Sealer
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import RecordNik, Reporter
from services.registry.domain.family.errors import (
    MemberRegisteredDifferently,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.http.families import CsvImportOf, KeysOf
from services.registry.http.reopenings import registered

FamilyImporter = Annotated[Principal, require_family("registry:import")]

router = APIRouter(tags=["registry"])


MemberNumber = Annotated[int, Path(ge=1, le=1_000_000, description="The number in the family.")]


class MemberNik(Strict):
    """A member's NIK, as their card has it."""

    nik: Nik


@router.post(
    "/families/{family}/members/{member}/nik",
    status_code=204,
    dependencies=[Unconditional],
    responses=refuses(
        FamilyUnknown, PersonUnknown, MemberRegisteredDifferently, PersonAlreadyMember
    ),
)
async def record_nik(
    family: UUID,
    member: MemberNumber,
    body: MemberNik,
    deciding: DecidingOf,
    csv_import: CsvImportOf,
    keys: KeysOf,
    importer: FamilyImporter,
) -> Response:
    """Say the number of a member without a valid one; it waits in GET /changes as NIK.

    Until another person has let it be, the member does not count for money.
    """
    stream = f"family-{family}"
    pseudonymizer = await csv_import.recognition.of(niks=[body.nik])

    async def proposed(unit: Transaction) -> Reply:
        await registered(unit, family)
        key = (await keys.fetch_each([str(family)])).get(str(family))
        if key is None or not key.secrets:
            raise FamilyUnknown(family=family)
        command = RecordNik(
            member=member,
            token=pseudonymizer.nik(body.nik),
            nik=Sealer({str(family): key}).seal(str(family), "nik", body.nik),
            fingerprint=pseudonymizer.fingerprint("nik", str(member), body.nik),
            reporter=Reporter(importer.subject, batch=""),
        )
        outcome = await handle(unit, FAMILY, stream, command)
        await csv_import.keep(unit, [outcome])
        return moved(outcome)

    return await deciding(proposed)
