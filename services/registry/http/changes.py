"""Changes that wait for a second person over HTTP: which, what each changes, what is decided.

What is decided is what was shown: the page of differences has an ETag over all that stands on it,
and a decision on these changes names it as If-Match.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from libs.chassis.auth import Principal, is_outside
from libs.chassis.bodies import Id, Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.middleware import Asked
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import ITEMS_MAX, Page, Paging, StreamPage
from libs.chassis.reads import LookUpLimitReached
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.events.consumer.batch_bisection import load_by_halves
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from libs.privacy.errors import PrivacyError
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.registry.contract import FAMILY
from services.registry.domain.family import roster
from services.registry.domain.family.commands import Command, DecideChange, WithdrawChange
from services.registry.domain.family.errors import (
    FamilyElsewhere,
    MemberRegisteredDifferently,
    NoSuchChange,
    NotTheMaker,
    PersonAlreadyMember,
    SamePerson,
)
from services.registry.domain.family.events import (
    ChangeProposed,
    Decision,
    FamilyMoved,
    GroupAssigned,
    MemberBorn,
    MembersRegistered,
    NikRecorded,
    PayeeChanged,
    PersonAdjudicated,
    PregnancyReported,
    SchoolChanged,
)
from services.registry.domain.family.state import Family, Payee
from services.registry.http.families import CsvImportOf, Importer, KeysOf, LookUpsOf, Reader
from services.registry.http.reopenings import Approver
from services.registry.tables.person_claims import holders_regions
from services.registry.tables.waiting_changes import (
    Key,
    Kind,
    WaitingChange,
    families_paid,
    these_changes,
    waiting_changes,
)

IDENTIFIES = "registry:identify"
APPROVAL = "APPROVAL"
DIGITS_SHOWN = 4  # that a person may compare with a passbook or a card

router = APIRouter(tags=["registry"])


# -- Which there are ------------------------------------------------------------------------------


class ChangeView(BaseModel):
    """A change that waits; `change` is its number in the family, `region` where it is decided."""

    family: UUID
    change: int
    kind: Kind
    region: str
    maker: str
    batch: str
    reported_on: date | None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which changes are asked for."""

    kind: Kind | None
    batch: str | None
    maker: str | None
    family: UUID | None
    region: str | None

    async def page(
        self, unit: Transaction, asker: Principal, paging: Paging
    ) -> tuple[Sequence[WaitingChange], str | None]:
        """The changes of a page, and the cursor of the next one."""
        after, regions = paging.after(tuple[UUID, int]), asker.within(self.region)
        rows = await waiting_changes(
            unit, self.kind, self.batch, self.maker, self.family, regions, after, paging.rows
        )
        return paging.cut(rows, lambda row: (row.family, row.change))


async def asked_filters(
    kind: Annotated[Kind | None, Query(description="What is changed; all else.")] = None,
    batch: Annotated[
        str | None, Query(max_length=64, description="The job of the import that brought them.")
    ] = None,
    maker: Annotated[
        str | None, Query(max_length=200, description="The person who proposed them.")
    ] = None,
    family: Annotated[UUID | None, Query(description="The family that is changed.")] = None,
    region: RegionWithin = None,
) -> Filters:
    """The filters of a list of changes."""
    return Filters(kind, batch, maker, family, region)


Filtered = Annotated[Filters, Depends(asked_filters)]


@router.get("/changes")
async def changes(
    store: StoreOf, reader: Reader, filters: Filtered, paging: Paging, noted: Noted
) -> Page[ChangeView]:
    """The changes that wait for a second person, in order of family and number."""
    async with store.looking() as unit:
        found, following = await filters.page(unit, reader, paging)
    items = [ChangeView(**_named(row)) for row in found]
    return await noted(Page[ChangeView](items=items, next=following))


def _named(row: WaitingChange) -> dict[str, object]:
    named = row._asdict() | {"region": row.decided_in}
    return {name: named[name] for name in ChangeView.model_fields}


# -- What each changes ----------------------------------------------------------------------------


class Difference(BaseModel):
    """A thing as it is, and as it would be; of a name its initials, of an account its last digits.

    Whoever may look up identities sees names in full.
    """

    what: str
    before: str | None
    after: str | None


class ChangeDiff(ChangeView):
    """All that a change would change; `families_of_account` and `families_of_payee` count the
    families that would then be paid there, or to that person, this one included."""

    effective_on: date | None
    evidence: str
    differences: list[Difference]
    families_of_account: int
    families_of_payee: int


@router.get("/changes/diff", responses=refuses(LookUpLimitReached) | UNCHANGED)
async def changes_diff(
    store: StoreOf,
    keys: KeysOf,
    approver: Approver,
    context: Asked,
    filters: Filtered,
    paging: Paging,
    look_ups: LookUpsOf,
    noted: Noted,
    response: Response,
) -> StreamPage[ChangeDiff]:
    """The differences that the changes of a page would make; a decision on them names its ETag."""
    async with store.looking() as unit:
        found, following = await filters.page(unit, approver, paging)
        items = await _shown(unit, keys, found)
        response.headers["ETag"] = etag(_digest(items))
        if IDENTIFIES in approver.scopes and items:
            items = await _shown(unit, keys, found, masked=False)
    unreadable = sorted({row.family for row in found} - {item.family for item in items})
    page = StreamPage[ChangeDiff](items=items, next=following, unreadable=unreadable)
    if IDENTIFIES in approver.scopes and items:
        families = list({str(item.family) for item in items})
        await noted.look_up(APPROVAL, len(families), families, look_ups.limit_on(context.at.date()))
        return page
    return await noted(page)


async def _shown(
    unit: Transaction, keys: KeyRing, rows: Sequence[WaitingChange], *, masked: bool = True
) -> list[ChangeDiff]:
    """The differences that changes would make, of those families that can be read."""
    states = await load_by_halves(unit, FAMILY, [f"family-{row.family}" for row in rows])
    sealer = Sealer(await keys.fetch_each(str(row.family) for row in rows))
    paid = await families_paid(unit, rows)
    shown: list[ChangeDiff] = []
    for row in rows:
        found = states.get(f"family-{row.family}")
        proposal = found.state.waiting_change(row.change) if found else None
        if found is None or proposal is None:
            continue
        opener = _Opener(sealer, str(row.family), masked)
        shown.append(
            ChangeDiff(
                **_named(row),
                effective_on=getattr(proposal.fact, "effective_on", None),
                evidence=proposal.evidence,
                differences=list(_differences(proposal, found.state, opener)),
                families_of_account=paid["a", row.account],
                families_of_payee=paid["p", row.payee],
            )
        )
    return shown


def _digest(items: Sequence[ChangeDiff]) -> str:
    text = "\n".join(item.model_dump_json() for item in items)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens what a family sealed, no further than it is shown."""

    sealer: Sealer
    family: str
    masked: bool

    def name(self, column: str, sealed: str) -> str | None:
        clear = self._open(column, sealed)
        if clear is None or not self.masked:
            return clear
        return " ".join(f"{word[0]}." for word in clear.split())

    def number(self, column: str, sealed: str) -> str | None:
        clear = self._open(column, sealed)
        return f"…{clear[-DIGITS_SHOWN:]}" if clear else None

    def _open(self, column: str, sealed: str) -> str | None:
        try:
            return self.sealer.unseal(self.family, column, sealed) if sealed else None
        except PrivacyError:
            return None


def _differences(proposal: ChangeProposed, state: Family, opener: _Opener) -> Iterator[Difference]:
    match fact := proposal.fact:
        case PayeeChanged():
            yield from _of_payee(fact, state, opener)
        case MembersRegistered():
            [row] = fact.rows
            yield Difference(what="name", before=None, after=opener.name("name", row.name))
            for what in ("birth_date", "relationship", "occupation", "school_level"):
                yield Difference(what=what, before=None, after=_text(getattr(row, what)))
            for what in ("severe_disability", "pregnancy_due_date"):
                yield Difference(what=what, before=None, after=_text(getattr(row, what)))
        case MemberBorn():
            yield Difference(what="name", before=None, after=opener.name("name", fact.name))
            yield Difference(what="birth_date", before=None, after=_text(fact.birth_date))
        case SchoolChanged():
            [member] = [one for one in state.members if one.member == fact.member]
            level = roster.school_level(state, member, fact.effective_on)
            what = f"school_level of member {fact.member}"
            yield Difference(what=what, before=level, after=fact.school_level)
        case PregnancyReported():
            what = f"due_date of member {fact.member}"
            yield Difference(what=what, before=None, after=_text(fact.due_date))
        case NikRecorded():
            what, after = f"nik of member {fact.member}", opener.number("nik", fact.nik)
            yield Difference(what=what, before=None, after=after)
        case PersonAdjudicated():
            what = f"family of member {fact.member}"
            yield Difference(what=what, before="also another", after="this one")
        case FamilyMoved():
            before = roster.region(state, fact.effective_on)
            yield Difference(what="region", before=before, after=fact.region)
        case GroupAssigned():
            yield Difference(what="group", before=state.group or None, after=fact.group)
            yield Difference(what="facilitator", before=None, after=fact.facilitator)
            yield Difference(what="since", before=None, after=_text(fact.since))


def _of_payee(fact: PayeeChanged, state: Family, opener: _Opener) -> Iterator[Difference]:
    old = state.payees[-1].payee if state.payees else state.payee
    new = Payee(fact.payee_token, fact.payee_nik, fact.bank, fact.account_no, fact.account_name)

    def shown(payee: Payee) -> Mapping[str, str | None]:
        holder = state.holder_of(payee.token)
        return {
            "payee": f"member {holder.member}" if holder else "nobody of the family",
            "bank": payee.bank,
            "account": opener.number("account_no", payee.account_no),
            "account_name": opener.name("account_name", payee.account_name),
        }

    before, after = shown(old), shown(new)
    for what in before:
        yield Difference(what=what, before=before[what], after=after[what])


def _text(value: object) -> str | None:
    return None if value is None else str(value)


# -- What another person does ---------------------------------------------------------------------


class ChangeKey(Strict):
    """A change, by its family and its number there."""

    family: Id
    change: Annotated[int, Field(ge=1, le=1_000_000)]


class Changes(Strict):
    """The changes that are meant, each once."""

    changes: Annotated[list[ChangeKey], Field(min_length=1, max_length=ITEMS_MAX)]

    def in_order(self) -> list[Key]:
        """The changes in order."""
        return sorted({(change.family, change.change) for change in self.changes})


class ChangesDecision(Changes):
    """The decision on some changes: all of them are let be, or none is."""

    decision: Decision


@router.post(
    "/changes/decision",
    status_code=204,
    responses=refuses(
        *(NoSuchChange, SamePerson, PersonAlreadyMember, MemberRegisteredDifferently),
        FamilyElsewhere,
    ),
)
async def decide_changes(
    body: ChangesDecision,
    deciding: DecidingOf,
    csv_import: CsvImportOf,
    keys: KeysOf,
    approver: Approver,
    seen: IfMatch,
) -> Response:
    """Let changes be, or not, all or none of them; never by a person who proposed one of them."""

    async def decided(unit: Transaction) -> Reply:
        rows = await _held(unit, body, approver)
        if body.decision == "APPROVED":
            await _ensure_theirs(unit, rows, approver)
        seen.ensure(_digest(await _shown(unit, keys, rows)))
        day = deciding.context.at.date()
        commands: list[tuple[str, Command]] = [
            (
                f"family-{row.family}",
                DecideChange(row.change, body.decision, approver.subject, day),
            )
            for row in rows
        ]
        return await _done(unit, csv_import, commands)

    return await deciding(decided)


@router.post(
    "/changes/withdrawal",
    status_code=204,
    dependencies=[Unconditional],
    responses=refuses(NoSuchChange, NotTheMaker),
)
async def withdraw_changes(
    body: Changes, deciding: DecidingOf, csv_import: CsvImportOf, importer: Importer
) -> Response:
    """Take back what one has proposed oneself, all or none of it."""

    async def withdrawn(unit: Transaction) -> Reply:
        commands: list[tuple[str, Command]] = [
            (f"family-{family}", WithdrawChange(change, importer.subject))
            for family, change in body.in_order()
        ]
        return await _done(unit, csv_import, commands)

    return await deciding(withdrawn)


async def _held(unit: Transaction, body: Changes, asker: Principal) -> Sequence[WaitingChange]:
    """The changes as they wait, kept so until we commit. One that is not decided in the asker's
    regions is as unknown as one that does not wait."""
    wanted = body.in_order()
    await unit.hold(sorted({f"family-{family}" for family, _ in wanted}))
    rows = await these_changes(unit, wanted)
    if len(rows) < len(wanted) or any(is_outside(asker, row.decided_in) for row in rows):
        raise NoSuchChange
    return rows


async def _ensure_theirs(
    unit: Transaction, rows: Sequence[WaitingChange], approver: Principal
) -> None:
    """A person is taken from no family of another region. Raises `FamilyElsewhere`."""
    persons = [row.person for row in rows if row.person]
    if any(is_outside(approver, region) for region in await holders_regions(unit, persons)):
        raise FamilyElsewhere


async def _done(
    unit: Transaction, csv_import: CsvImportOf, commands: Sequence[tuple[str, Command]]
) -> Reply:
    outcomes = await handle_many(unit, FAMILY, commands)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    await csv_import.keep(unit, outcomes)
    return Reply(204, None, {})
