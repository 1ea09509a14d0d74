"""Reports of schools and health facilities by topic, through writers who are registered for it.

A message is taken in whole or withheld whole, with a reason that people can look at, and holds up
nothing: its key is a whole school. What is taken in is recorded as a file's rows are.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from libs.chassis.auth import NATION, Principal
from libs.chassis.forms import NIK, NPSN, OFFICE_ID, holds_number
from libs.events.bus.envelope import inbound_source
from libs.events.bus.incoming import Incoming
from libs.events.consumer.parking import record_sha256
from libs.events.consumer.unlogged import lives_of
from libs.events.store.model import encode
from libs.events.store.transaction import Transaction
from libs.privacy.closed_numbers import NumberKeys, NumberUnopened, Unopened
from libs.privacy.recognition import Recognition
from services.conditionality.contract import PersonVisitsReported, PupilMonthsReported
from services.conditionality.domain.person import (
    InvalidRecord,
    SchoolMonth,
    Visit,
    check_school_month,
    check_visit,
)
from services.conditionality.domain.writers import Withheld, Writer, areas_for
from services.conditionality.tables.inbound import (
    Count,
    WithheldMessage,
    count,
    keep_taken,
    keep_withheld,
    taken_before,
)
from services.conditionality.workers.recording import Reported, record_facts

MONTHS_MAX: Final = 36
"""Records in one message: a year of three services."""
HASH_BYTES: Final = 16

Records: TypeAlias = tuple[SchoolMonth, ...] | tuple[Visit, ...]

_OF_UNOPENED: Final[Mapping[Unopened, Withheld]] = {
    Unopened.NOT_A_JWE: Withheld.NOT_A_JWE,
    Unopened.KEY_UNKNOWN: Withheld.KEY_UNKNOWN,
    Unopened.BROKEN: Withheld.NUMBER_BROKEN,
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """The content of a message whose type the contract does not know: none of it is read."""


class NotTaken(Exception):
    """A message is withheld: why, and at which of its fields."""

    def __init__(self, why: Withheld, field: str = "") -> None:
        super().__init__(why.name)
        self.why, self.field = why, field


@dataclass(frozen=True, slots=True)
class Report:
    """A message that may be taken in: whose person it is of is not known yet."""

    message: Incoming
    writer: str
    reporter: str
    areas: tuple[str, ...]
    nik: str
    records: Records

    @property
    def id(self) -> bytes:
        """The hash of its writer and id, by which it is known when it comes again."""
        envelopes, index = self.message.envelopes, self.message.index
        return _hash(self.writer.encode() + b"\x1f" + bytes(envelopes.ids[index]))

    @property
    def partition(self) -> int:
        """The partition that it came in."""
        return self.message.partition

    @property
    def source(self) -> str:
        """The place at which its writer finds it again."""
        return f"{self.message.topic}/{self.partition}@{self.message.position - 1}"

    def facts(self, token: str) -> list[Reported[SchoolMonth | Visit]]:
        """Its records as facts of a person."""
        return [Reported(token, self.reporter, record, self.source, 0) for record in self.records]


@dataclass(frozen=True, slots=True)
class OutsideReports:
    """Takes in what writers report; `keys` open the numbers, `writers` are the register."""

    recognition: Recognition
    keys: NumberKeys
    writers: Mapping[str, Writer]

    async def take(self, unit: Transaction, messages: Sequence[Incoming]) -> None:
        """Record the facts of messages of one topic, and withhold those that cannot be."""
        reports, withheld = await asyncio.to_thread(self._read, messages)
        persons = await self.recognition.of(niks=[report.nik for report in reports])
        seen = await taken_before(unit, {report.id for report in reports})
        new: list[tuple[str, Report]] = []
        contents: dict[bytes, bytes] = {}
        repeated: list[Report] = []
        for report in reports:
            token = persons.nik(report.nik)
            content = _hash(encode((token, report.records)))
            before = seen.get(report.id)
            if before is None:
                seen[report.id] = contents[report.id] = content
                new.append((token, report))
            elif before == content:
                repeated.append(report)
            else:
                withheld.append(self._withheld(report.message, Withheld.ID_USED_AGAIN))
        foreign = await _record(unit, new)
        for report in foreign:
            del contents[report.id]
            withheld.append(self._withheld(report.message, Withheld.REGION_NOT_YOURS))
        await keep_taken(unit, contents)
        taken = [report for _, report in new if report.id in contents]
        await _note(unit, messages[0].topic, taken, repeated, withheld)

    async def withhold(self, unit: Transaction, messages: Sequence[Incoming]) -> None:
        """Withhold messages that are not of the form that the contract describes."""
        withheld = [self._withheld(message, Withheld.UNREADABLE) for message in messages]
        await _note(unit, messages[0].topic, (), (), withheld)

    def _read(self, messages: Sequence[Incoming]) -> tuple[list[Report], list[WithheldMessage]]:
        reports: list[Report] = []
        withheld: list[WithheldMessage] = []
        for message in messages:
            try:
                reports.append(self._report(message))
            except NotTaken as error:
                withheld.append(self._withheld(message, error.why, error.field))
        return reports, withheld

    def _report(self, message: Incoming) -> Report:
        reporter, records = _content(message)
        months = sorted({record.month for record in records})
        name = writer_of(message)
        areas = areas_for(self.writers.get(name), message.topic, reporter, months)
        if isinstance(areas, Withheld):
            raise NotTaken(areas)
        return Report(message, name, reporter, areas, self._nik(message.body.nik), records)

    def _nik(self, closed: str) -> str:
        if not closed:
            raise NotTaken(Withheld.NO_NUMBER)
        try:
            opened = self.keys.open(closed)
        except NumberUnopened as error:
            raise NotTaken(_OF_UNOPENED[error.why], "nik") from None
        if not NIK.fullmatch(opened):
            raise NotTaken(Withheld.NUMBER_WITHOUT_FORM, "nik")
        return opened

    def _withheld(self, message: Incoming, why: Withheld, field: str = "") -> WithheldMessage:
        name = writer_of(message)
        writer = self.writers.get(name)
        terms = writer.terms if writer else ()
        areas = sorted({area for term in terms for area in term.areas}) or [NATION]
        named = message.envelope.id
        return WithheldMessage(
            message.topic,
            message.partition,
            message.position - 1,
            name,
            _reporter_of(message),
            "" if holds_number(named) else named,
            why,
            field,
            tuple(areas),
            bytes.fromhex(record_sha256(message.record)),
        )


def writer_of(message: Incoming) -> str:
    """The name under which a message's writer is registered."""
    return message.envelopes.sources[message.index].removeprefix(inbound_source(""))


async def _record(unit: Transaction, new: Sequence[tuple[str, Report]]) -> list[Report]:
    """Record reports, and answer those of persons outside their writers' areas."""
    by_areas: dict[tuple[str, ...], list[tuple[str, Report]]] = defaultdict(list)
    for token, report in new:
        by_areas[report.areas].append((token, report))
    foreign: list[Report] = []
    for areas, some in by_areas.items():
        sender = Principal(inbound_source(some[0][1].writer), frozenset(), areas)
        facts = [fact for token, report in some for fact in report.facts(token)]
        outside = {fact.source for fact in (await record_facts(unit, facts, sender)).foreign}
        foreign += [report for _, report in some if report.source in outside]
    return foreign


async def _note(
    unit: Transaction,
    topic: str,
    taken: Sequence[Report],
    repeated: Sequence[Report],
    withheld: Sequence[WithheldMessage],
) -> None:
    """Count what came of messages by partition, and keep those that were withheld."""
    by_outcome = [Counter(one.partition for one in some) for some in (taken, repeated, withheld)]
    partitions = set().union(*by_outcome)
    lives = await lives_of(unit.connection, topic, partitions)
    await keep_withheld(unit, lives, withheld)
    counts = {number: Count(*(found[number] for found in by_outcome)) for number in partitions}
    await count(unit, topic, lives, counts)


# -- What a message says --------------------------------------------------------------------------


def _content(message: Incoming) -> tuple[str, Records]:
    """The school or facility that says it, and its records, each possible as it stands."""
    if isinstance(message.body, Unknown):
        raise NotTaken(Withheld.UNREADABLE, "type")
    reporter = _reporter_of(message)
    if not reporter:
        raise NotTaken(Withheld.UNREADABLE, _reporter_field(message.body))
    if reporter != message.key:
        raise NotTaken(Withheld.NOT_ITS_KEY, _reporter_field(message.body))
    records = _records(message.body)
    if not 0 < len(records) <= MONTHS_MAX:
        raise NotTaken(Withheld.IMPOSSIBLE, "months")
    return reporter, records


def _records(body: PupilMonthsReported | PersonVisitsReported) -> Records:
    try:
        if isinstance(body, PupilMonthsReported):
            return tuple(_checked_months(body))
        return tuple(_checked_visits(body))
    except InvalidRecord as error:
        raise NotTaken(Withheld.IMPOSSIBLE, str(error.facts["field"])) from None


def _checked_months(body: PupilMonthsReported) -> Iterable[SchoolMonth]:
    for one in body.months:
        days = one.effective_days, one.absent, one.permitted, one.sick
        month = SchoolMonth(one.month, *days)
        check_school_month(month)
        yield month


def _checked_visits(body: PersonVisitsReported) -> Iterable[Visit]:
    for one in body.visits:
        visit = Visit(one.month, one.service, one.attended)
        check_visit(visit)
        yield visit


def _reporter_field(body: object) -> str:
    return "npsn" if isinstance(body, PupilMonthsReported) else "facility_code"


def _reporter_of(message: Incoming) -> str:
    """The school or facility that a message names; empty where that has not its form."""
    body = message.body
    if isinstance(body, PupilMonthsReported):
        return body.npsn if NPSN.fullmatch(body.npsn) else ""
    if isinstance(body, PersonVisitsReported):
        return body.facility_code if OFFICE_ID.fullmatch(body.facility_code) else ""
    return ""


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:HASH_BYTES]
