"""Checked rows become commands: values are sealed and tokenised here, and cards and people claimed.

This is the edge: clear text comes in and only sealed values, tokens and derived facts go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, TypeAlias, TypeVar
from uuid import uuid4

from libs.chassis.auth import NOBODY, Principal
from libs.chassis.csv_upload import ImportReport, Row
from libs.events.store.handle import handle_many
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from libs.privacy.days import sealed_day
from libs.privacy.keys import KeyRing
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.recognition import Recognition
from libs.privacy.sealing import Sealer
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import (
    Command,
    MarkDuplicate,
    Move,
    RegisterFamily,
    RegisterMembers,
    Reporter,
    ReportLifeEvent,
    well_formed_nik,
)
from services.registry.domain.family.errors import (
    BirthNotRecent,
    CardRegisteredDifferently,
    DateImplausible,
    EvidenceMissing,
    FamilyFull,
    MemberRegisteredDifferently,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.domain.family.events import (
    ChangeProposed,
    Event,
    FamilyRow,
    MemberRow,
    MembersRegistered,
)
from services.registry.domain.family.state import Family
from services.registry.http import csv_facts
from services.registry.http.csv_cells import Mistake, Refused
from services.registry.http.csv_rows import FamilyCells, LifeEventCells, MemberCells, checked
from services.registry.tables.identity_rows import card_owners, keep_identities, last_closing
from services.registry.tables.payees import keep_payees
from services.registry.tables.person_claims import keep_persons
from services.registry.tables.waiting_changes import keep_changes
from services.registry.workers.reviewer import Reviewer

Outcomes: TypeAlias = Sequence[Outcome[Family, Event]]
CardRow = TypeVar("CardRow", FamilyCells, MemberCells, LifeEventCells)

MEMBERS_MAX: Final = 30
"""Of a family; a card with more is taken, and warned of: it may stand for many."""

REFUSALS: Mapping[type[Exception], tuple[str, Mistake]] = {
    CardRegisteredDifferently: ("no_kk", Mistake.REGISTERED_DIFFERENTLY),
    MemberRegisteredDifferently: ("nik", Mistake.REGISTERED_DIFFERENTLY),
    PersonUnknown: ("nik", Mistake.UNKNOWN_PERSON),
    EvidenceMissing: ("evidence", Mistake.EVIDENCE_MISSING),
    FamilyFull: ("no_kk", Mistake.FAMILY_FULL),
    BirthNotRecent: ("birth_date", Mistake.BIRTH_NOT_RECENT),
    PersonAlreadyMember: ("nik", Mistake.ALREADY_MEMBER),
}
"""The meaning of a family's refusal for the row behind the command."""


@dataclass(slots=True)
class RowsReport(ImportReport):
    """The outcome of a file, and how many of the rows taken wait for a second person."""

    proposed: int = 0


@dataclass(slots=True)
class _Card:
    """The rows of one family's card, and the people in them.

    The document that admits a person to this family admits them to no other.
    """

    reporter: Reporter
    day: date
    lines: list[int] = field(default_factory=list)
    people: list[MemberRow] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)

    def add(self, row: MemberCells, person: MemberRow) -> None:
        """One more row, and whom it names."""
        self.lines.append(row.line)
        self.people.append(person)
        self.evidence[person.token] = row.evidence

    def command(self, people: Sequence[MemberRow]) -> Command:
        """The registration of some of them, or of all together."""
        return RegisterMembers(tuple(people), self.reporter, self.day, self.evidence)


@dataclass(frozen=True, slots=True)
class CsvImport:
    """Takes the registry's files in, a batch of rows at a time.

    Rows of families outside the importer's regions are refused; nobody's regions are none.
    """

    keys: KeyRing
    recognition: Recognition
    reviewer: Reviewer
    importer: Principal = NOBODY

    def for_(self, importer: Principal) -> CsvImport:
        """The same, for whoever sends a file."""
        return replace(self, importer=importer)

    # -- Families

    async def families(self, unit: Transaction, rows: list[Row], report: RowsReport) -> None:
        """families.csv: a card is claimed by its first row; its key is made before its event."""
        today = unit.context.at.date()
        good = self._theirs(checked(FamilyCells, rows, report, today), report)
        pseudonymizer = await self._tokens_of(good)
        tokens = [pseudonymizer.card(row.card) for row in good]
        owners = await unit.claim("card", {token: f"family-{uuid4()}" for token in tokens})
        await self.keys.make(owner.removeprefix("family-") for owner in owners.values())
        registered = [(row, owners[token]) for row, token in zip(good, tokens, strict=True)]
        living, sealer = await self._not_erased(registered, report)
        commands: list[tuple[str, Command]] = []
        for row, owner in living:
            family = owner.removeprefix("family-")
            commands.append(
                (owner, RegisterFamily(family, _family(row, pseudonymizer, family, sealer)))
            )
        outcomes = await handle_many(unit, FAMILY, commands)
        await self._take(unit, [row.line for row, _ in living], outcomes, report)

    def _theirs(self, rows: Sequence[FamilyCells], report: RowsReport) -> list[FamilyCells]:
        theirs: list[FamilyCells] = []
        for row in rows:
            if self.importer.may_see(row.region):
                theirs.append(row)
            else:
                report.refuse(row.line, "region_code", Mistake.REGION_NOT_YOURS)
        return theirs

    # -- Members

    async def members(self, unit: Transaction, rows: list[Row], report: RowsReport) -> None:
        """members.csv: a number that stands on two cards marks both families."""
        today = unit.context.at.date()
        good_rows = checked(MemberCells, rows, report, today)
        pseudonymizer = await self._tokens_of(good_rows)
        good = await self._of_registered_cards(unit, good_rows, pseudonymizer, report)
        living, sealer = await self._not_erased(good, report)
        reporter = Reporter(self.importer.subject, report.job)
        cards: dict[str, _Card] = {}
        for row, stream_id in living:
            person = _member(row, pseudonymizer, stream_id.removeprefix("family-"), sealer)
            cards.setdefault(stream_id, _Card(reporter, today)).add(row, person)
        commands: list[tuple[str, Command]] = [
            (stream_id, card.command(card.people)) for stream_id, card in cards.items()
        ]
        outcomes = await handle_many(unit, FAMILY, commands)
        await self.keep(unit, outcomes)
        for outcome in outcomes:
            await self._card_taken(unit, cards[outcome.stream_id], outcome, report)
        # Who is proposed, or refused, is nobody's member yet, and marks no other family.
        nobodys = {
            family.stream_id
            for family in outcomes
            if family.state.designation is not None or isinstance(family.error, FamilyFull)
        }
        await self._mark_duplicates(
            unit, {stream_id: cards[stream_id].people for stream_id in cards.keys() - nobodys}
        )

    async def _card_taken(
        self, unit: Transaction, card: _Card, outcome: Outcome[Family, Event], report: RowsReport
    ) -> None:
        if outcome.error is None:
            added = sum(len(e.rows) for e in outcome.events if isinstance(e, MembersRegistered))
            proposed = _proposed(outcome)
            report.accepted += added + proposed
            report.proposed += proposed
            report.unchanged += len(card.lines) - added - proposed
            if len(outcome.state.members) - added <= MEMBERS_MAX < len(outcome.state.members):
                report.warn(card.lines[0], "no_kk", Mistake.TOO_MANY_MEMBERS)
        elif isinstance(outcome.error, FamilyFull):
            for line in card.lines:
                report.refuse(line, *REFUSALS[FamilyFull])
        else:
            # One of the family's rows is refused: find out which, and take the others.
            alone = [(outcome.stream_id, card.command([person])) for person in card.people]
            await self._take(unit, card.lines, await handle_many(unit, FAMILY, alone), report)

    async def _mark_duplicates(
        self, unit: Transaction, drafted: Mapping[str, Sequence[MemberRow]]
    ) -> None:
        holders = [(p.token, stream_id) for stream_id, people in drafted.items() for p in people]
        wanted = dict(reversed(holders))  # the first row of a number claims it
        if not wanted:
            return
        owners = await unit.claim("nik", wanted)
        marks: dict[tuple[str, str], None] = {}
        for token, stream_id in holders:
            if owners[token] != stream_id:
                marks[owners[token], token] = None
                marks[stream_id, token] = None
        commands: list[tuple[str, Command]] = [
            (stream_id, MarkDuplicate(token)) for stream_id, token in marks
        ]
        for outcome in await handle_many(unit, FAMILY, commands):
            # A row that was refused has claimed nothing and marks nobody.
            if outcome.error is not None and not isinstance(outcome.error, PersonUnknown):
                raise outcome.error

    # -- Life events

    async def life_events(self, unit: Transaction, rows: list[Row], report: RowsReport) -> None:
        """life_events.csv: one dated fact a row."""
        good_rows = checked(LifeEventCells, rows, report, unit.context.at.date())
        pseudonymizer = await self._tokens_of(good_rows)
        good = await self._of_registered_cards(unit, good_rows, pseudonymizer, report)
        living, sealer = await self._not_erased(good, report)
        closed_on = await last_closing(unit)
        reporter = Reporter(self.importer.subject, report.job)
        lines: list[int] = []
        commands: list[tuple[str, Command]] = []
        for row, stream_id in living:
            try:
                fact = csv_facts.of_row(
                    row, stream_id.removeprefix("family-"), sealer, pseudonymizer
                )
            except Refused as refused:
                report.refuse(row.line, refused.column, refused.mistake)
                continue
            fingerprint = pseudonymizer.fingerprint(*row.cells.values())
            dates = row.effective_on, row.reported_on
            judged_on = max(row.reported_on, closed_on or row.reported_on)
            rules = self.reviewer.rule_sets.on(judged_on)
            away = isinstance(fact, Move) and not self.importer.may_see(fact.region)
            report_it = ReportLifeEvent(*dates, fingerprint, fact, judged_on, rules, reporter, away)
            lines.append(row.line)
            commands.append((stream_id, report_it))
        await self._take(unit, lines, await handle_many(unit, FAMILY, commands), report)

    # -- Together

    async def _tokens_of(self, rows: Sequence[CardRow]) -> Pseudonymizer:
        """A pseudonymizer for the numbers of these rows, whose tokens outlive a change of key."""
        rows_cells = [row.cells for row in rows]
        niks = ("nik", "payee_nik", "new_payee_nik")
        return await self.recognition.of(
            cards=[row.card for row in rows],
            niks=[cells[column] for cells in rows_cells for column in niks if column in cells],
            accounts=[
                (cells["bank_code"], cells["account_no"])
                for cells in rows_cells
                if "account_no" in cells
            ],
            rows=[
                self.recognition.fingerprint(*cells.values())
                for cells in rows_cells
                if cells.get("nik") == ""
            ],
        )

    async def _not_erased(
        self, rows: Sequence[tuple[CardRow, str]], report: RowsReport
    ) -> tuple[list[tuple[CardRow, str]], Sealer]:
        """The rows (with their stream ids) of families whose key is not destroyed, and what seals.

        Of the others nothing can be taken in any more, and each row is refused by its line.
        """
        keys = await self.keys.fetch_each(owner.removeprefix("family-") for _, owner in rows)
        living: list[tuple[CardRow, str]] = []
        for row, owner in rows:
            key = keys.get(owner.removeprefix("family-"))
            if key is None or not key.secrets:
                report.refuse(row.line, "no_kk", Mistake.ERASED)
            else:
                living.append((row, owner))
        return living, Sealer(keys)

    async def _of_registered_cards(
        self,
        unit: Transaction,
        rows: Sequence[CardRow],
        pseudonymizer: Pseudonymizer,
        report: RowsReport,
    ) -> list[tuple[CardRow, str]]:
        tokens = {row.card: pseudonymizer.card(row.card) for row in rows}
        owners = await card_owners(unit, tokens.values())
        registered: list[tuple[CardRow, str]] = []
        for row in rows:
            owner = owners.get(tokens[row.card])
            # A card that others have is as unknown as one that nobody has.
            if owner is None or not self.importer.may_see(owner.region):
                report.refuse(row.line, "no_kk", Mistake.UNKNOWN_CARD)
            else:
                registered.append((row, owner.stream_id))
        return registered

    async def _take(
        self, unit: Transaction, lines: Sequence[int], outcomes: Outcomes, report: RowsReport
    ) -> None:
        """Count what each row came to, and keep who people are."""
        for line, outcome in zip(lines, outcomes, strict=True):
            if outcome.error is None:
                report.accepted += bool(outcome.events)
                report.proposed += _proposed(outcome)
                report.unchanged += not outcome.events
            elif isinstance(outcome.error, DateImplausible):
                column = str(outcome.error.facts["field"])
                report.refuse(line, column, Mistake.DATE_IMPLAUSIBLE)
            elif type(outcome.error) in REFUSALS:
                report.refuse(line, *REFUSALS[type(outcome.error)])
            else:
                raise outcome.error
        await self.keep(unit, outcomes)

    async def keep(self, unit: Transaction, outcomes: Outcomes) -> None:
        """Keep who people are, whose they are and which changes wait, and look again at closings
        that a late fact may change."""
        await keep_identities(unit, outcomes)
        await keep_payees(unit, outcomes)
        await keep_persons(unit, outcomes)
        await keep_changes(unit, outcomes)
        await self.reviewer.review(unit, outcomes)


def _proposed(outcome: Outcome[Family, Event]) -> int:
    return sum(isinstance(event, ChangeProposed) for event in outcome.events)


def _family(
    row: FamilyCells, pseudonymizer: Pseudonymizer, family: str, sealer: Sealer
) -> FamilyRow:
    cells = row.cells
    address = " ".join(cells[column].strip() for column in ("address", "rt", "rw"))
    return FamilyRow(
        fingerprint=pseudonymizer.fingerprint(*cells.values()),
        card_token=pseudonymizer.card(row.card),
        card=sealer.seal(family, "no_kk", row.card),
        dtks_id=sealer.seal(family, "dtks_id", cells["dtks_id"]),
        dtks=row.dtks,
        decile=row.decile,
        region=row.region,
        address=sealer.seal(family, "address", address),
        payee_token=pseudonymizer.nik(row.payee),
        payee_nik=sealer.seal(family, "payee_nik", row.payee),
        bank=row.bank,
        account_no=sealer.seal(family, "account_no", cells["account_no"].strip()),
        account_name=sealer.seal(family, "account_name", cells["account_name"].strip()),
        facilitator=row.facilitator,
        group=row.group,
        account_token=csv_facts.account_token(pseudonymizer, cells),
    )


def _member(
    row: MemberCells, pseudonymizer: Pseudonymizer, family: str, sealer: Sealer
) -> MemberRow:
    cells, fingerprint = row.cells, pseudonymizer.fingerprint(*row.cells.values())
    token = csv_facts.person_token(pseudonymizer, row.nik, fingerprint)
    due = sealed_day(sealer, family, row.due_date) if row.due_date else None
    return MemberRow(
        token=token,
        fingerprint=fingerprint,
        nik=sealer.seal(family, "nik", row.nik),
        name=sealer.seal(family, "name", cells["name"]),
        nik_valid=well_formed_nik(row.nik),
        sex=row.sex,
        birth_date=sealed_day(sealer, family, row.birth_date),
        relationship=row.relationship,
        occupation=row.occupation,
        school_level=row.school_level,
        npsn=csv_facts.sealed(sealer, family, cells, "npsn"),
        nisn=csv_facts.sealed(sealer, family, cells, "nisn"),
        severe_disability=row.severe_disability,
        pregnancy_due_date=due,
        pregnancy_order=row.order,
    )
