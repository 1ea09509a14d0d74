"""Records facts of persons, however they came: whom they are of, who may say so, what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from libs.chassis.auth import Principal
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from services.conditionality.contract import PERSON
from services.conditionality.domain.person import (
    Command,
    RecordSchoolMonths,
    RecordVisits,
    SchoolMonth,
    Visit,
)
from services.conditionality.tables.persons import regions_of
from services.conditionality.tables.unmatched import Unmatched, keep_unmatched

R = TypeVar("R", bound=SchoolMonth | Visit)


@dataclass(frozen=True, slots=True)
class Reported(Generic[R]):
    """A checked fact: whom it is about, which school or facility says so, and where it stood.

    `source` and `line` are the import's job and the file's line; a message from outside has its
    offset in `source`.
    """

    token: str
    reporter: str
    record: R
    source: str
    line: int


@dataclass(slots=True)
class Recorded(Generic[R]):
    """The outcome of facts: `changed` are new or differ, `foreign` are of families outside the
    sender's regions and not recorded, `unmatched` of persons whom no family has."""

    changed: int = 0
    unchanged: int = 0
    matched: int = 0
    unmatched: int = 0
    foreign: list[Reported[R]] = field(default_factory=list)


async def record_facts(
    unit: Transaction, facts: Sequence[Reported[R]], sender: Principal
) -> Recorded[R]:
    """Record facts in their order, those of one person as one command, and note those of nobody.

    A fact of a person whose family lives outside the sender's regions is not recorded; one of a
    person whom no family has is judged by the sender's own regions, if there are any.
    """
    regions = await regions_of(unit.connection, {fact.token for fact in facts})
    theirs, foreign = list[Reported[R]](), list[Reported[R]]()
    for fact in facts:
        may = sender.may_see(*regions.get(fact.token, sender.regions))
        (theirs if may else foreign).append(fact)
    records: dict[str, list[R]] = {}
    for fact in theirs:
        records.setdefault(fact.token, []).append(fact.record)
    changed = await _append(unit, {token: _command(found) for token, found in records.items()})
    unknown = [fact for fact in theirs if fact.token not in regions]
    await keep_unmatched(unit.connection, [_unmatched(fact, sender) for fact in unknown])
    matched = len(theirs) - len(unknown)
    return Recorded(changed, len(theirs) - changed, matched, len(unknown), foreign)


def _command(records: Sequence[SchoolMonth | Visit]) -> Command:
    months = tuple(record for record in records if isinstance(record, SchoolMonth))
    if months:
        return RecordSchoolMonths(months)
    return RecordVisits(tuple(record for record in records if isinstance(record, Visit)))


def _unmatched(fact: Reported[R], sender: Principal) -> Unmatched:
    where = fact.reporter, sender.regions, fact.source, fact.line
    return Unmatched.of(fact.token, fact.record, *where)


async def _append(unit: Transaction, commands: Mapping[str, Command]) -> int:
    """The number of records that were new or differed."""
    streams = [(f"person-{token}", command) for token, command in commands.items()]
    outcomes = await handle_many(unit, PERSON, streams)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return sum(len(event.records) for outcome in outcomes for event in outcome.events)
