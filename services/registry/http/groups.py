"""The group of a family over HTTP: said by one person, and so once another lets it be."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.chassis.bodies import Day, FamilyUnknown, OfficeId, Strict
from libs.chassis.deciding import DecidingOf, moved
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.openapi import refuses
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import AssignGroup, Reporter
from services.registry.http.families import CsvImportOf
from services.registry.http.member_numbers import FamilyImporter
from services.registry.http.reopenings import registered
from services.registry.tables.identity_rows import card_of

router = APIRouter(tags=["registry"])


class GroupAssignment(Strict):
    """A group and its facilitator, and the first day of that."""

    group: OfficeId
    facilitator: OfficeId
    since: Day


@router.post(
    "/families/{family}/group",
    status_code=204,
    dependencies=[Unconditional],
    responses=refuses(FamilyUnknown),
)
async def assign_group(
    family: UUID,
    body: GroupAssignment,
    deciding: DecidingOf,
    csv_import: CsvImportOf,
    importer: FamilyImporter,
) -> Response:
    """Say that a family is of another group from a day on; it waits in GET /changes as GROUP.

    Once another person has let it be, sessions from that day on are of the new group.
    """

    async def proposed(unit: Transaction) -> Reply:
        await registered(unit, family)
        assignment = body.group, body.facilitator, body.since
        fingerprint = csv_import.recognition.fingerprint("group", *map(str, assignment))
        reporter = Reporter(importer.subject, batch="")
        command = AssignGroup(await card_of(unit, family), *assignment, fingerprint, reporter)
        outcome = await handle(unit, FAMILY, f"family-{family}", command)
        await csv_import.keep(unit, [outcome])
        return moved(outcome)

    return await deciding(proposed)
