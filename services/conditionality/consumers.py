"""Messages that conditionality takes from others: steps of a tahap, its roster, and cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.store.handle import handle, handle_many
from libs.events.store.transaction import Transaction
from services.conditionality.contract import (
    CASE_TOPIC,
    COMMITMENT,
    EDUCATION_TOPIC,
    EVALUATION,
    HEALTH_TOPIC,
    PERSON,
    ROSTER_TOPIC,
    SERVICE,
    SESSION_TOPIC,
    TAHAP_TOPIC,
    TOPIC,
    AppealDecided,
    AppealOpened,
    AttendanceRecorded,
    BucketRequested,
    ClosingAnnounced,
    ErasureApproved,
    FamilyListed,
    FamilyReinstated,
    ListClosed,
    ListFrozen,
    OrderRequested,
    PersonsRegistered,
    PersonVisitsReported,
    PupilMonthsReported,
    SessionCancelled,
    SessionCorrected,
    TahapCancelled,
)
from services.conditionality.domain.commitment import Reinstate
from services.conditionality.domain.duties import asks_payee, tokens_of, with_payee
from services.conditionality.domain.evaluation.messages import (
    AnnounceEvaluation,
    Command,
    NoteFreeze,
    NoteList,
    Terms,
)
from services.conditionality.domain.person import MEETING, RecordVisits, Visit
from services.conditionality.domain.person import Command as PersonCommand
from services.conditionality.tables.meetings import keep_marks
from services.conditionality.tables.persons import drop_matched, forget_families, keep_persons
from services.conditionality.tables.regions import keep_regions
from services.conditionality.tables.roster import (
    Line,
    ask_again,
    end_evaluation,
    keep_lines,
    line_of,
    open_evaluation,
)
from services.conditionality.workers.case_orders import take_case
from services.conditionality.workers.inbound import OutsideReports, Unknown
from services.conditionality.workers.judging import RuleSetPolicies, facts_at_cut, judge
from services.conditionality.workers.withdrawer import cancel, lock_uncancelled

CASES: Final[Mapping[str, type[Any]]] = {
    "AppealOpened": AppealOpened,
    "AppealDecided": AppealDecided,
    "OrderRequested": OrderRequested,
}


INBOUND: Final[Mapping[str, type[Any]]] = {
    EDUCATION_TOPIC: PupilMonthsReported,
    HEALTH_TOPIC: PersonVisitsReported,
}


def subscriptions(policies: RuleSetPolicies, outside: OutsideReports) -> tuple[Subscription, ...]:
    """The topics that conditionality reads."""
    own = _sessions(policies), _roster(policies), _tahap(policies), _cases(policies)
    return *own, *_inbound(outside)


def _inbound(outside: OutsideReports) -> Iterator[Subscription]:
    """The topics on which schools and health facilities report through registered writers."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        await outside.take(unit, messages)

    async def withhold(unit: Transaction, messages: Sequence[Incoming]) -> None:
        await outside.withhold(unit, messages)

    for topic, body in INBOUND.items():
        yield Subscription(SERVICE, topic, {body.__name__: body}, take, Unknown, withhold)


def _roster(policies: RuleSetPolicies) -> Subscription:
    """The lists of families: each line is judged as it comes."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        erased = [m.body.family for m in messages if isinstance(m.body, ErasureApproved)]
        bodies = [m.body for m in messages if isinstance(m.body, FamilyListed | PersonsRegistered)]
        await keep_regions(unit, bodies)
        await keep_persons(unit, messages)
        await _reinstate(unit, [m.body for m in messages if isinstance(m.body, FamilyReinstated)])
        listed = [body for body in bodies if isinstance(body, FamilyListed)]
        lines = [
            _with_payee(line_of(body), policies) for body in listed if body.outcome == "LISTED"
        ]
        lines = await lock_uncancelled(unit, lines) if lines else []
        if lines:
            await keep_lines(unit, lines)
            await drop_matched(unit, {token for line in lines for token in tokens_of(line.members)})
            facts = await facts_at_cut(unit, lines)
            await judge(unit, policies, lines, facts, messages[0].partition)
        for message in messages:
            if isinstance(message.body, ListClosed):
                await _list_closed(unit, message.body)
        if erased:
            await forget_families(unit, erased)

    types = {
        "PersonsRegistered": PersonsRegistered,
        "FamilyListed": FamilyListed,
        "ListClosed": ListClosed,
        "ErasureApproved": ErasureApproved,
        "FamilyReinstated": FamilyReinstated,
    }
    return Subscription(SERVICE, ROSTER_TOPIC, types, take)


def _tahap(policies: RuleSetPolicies) -> Subscription:
    """The tahaps of payments: announced, frozen, cancelled, and lines that it asks for again."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            if isinstance(message.body, BucketRequested):
                if message.body.topic == TOPIC:
                    await ask_again(unit, message.body.tahap, message.body.buckets)
                continue
            if isinstance(message.body, TahapCancelled):
                await cancel(unit, message.body.tahap, message.body.revision)
                continue
            command = _command(message.body, policies)
            await handle(unit, EVALUATION, f"evaluation-{command.tahap}", command)
            if isinstance(command, NoteFreeze):
                await end_evaluation(unit, command.tahap)

    types = {
        "ClosingAnnounced": ClosingAnnounced,
        "TahapCancelled": TahapCancelled,
        "ListFrozen": ListFrozen,
        "BucketRequested": BucketRequested,
    }
    return Subscription(SERVICE, TAHAP_TOPIC, types, take)


def _cases(policies: RuleSetPolicies) -> Subscription:
    """The appeals and orders of cases."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            await take_case(unit, policies, message.body)

    return Subscription(SERVICE, CASE_TOPIC, CASES, take)


def _sessions(policies: RuleSetPolicies) -> Subscription:
    """The topic of group sessions, whose marks are facts where a rule set asks them of payees."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        if not any(map(asks_payee, policies.values())):
            return  # a fact for each family and month would count nowhere
        months: dict[str, list[Visit]] = {}
        for family, month, came in await keep_marks(unit, [m.body for m in messages]):
            months.setdefault(family, []).append(Visit(month, MEETING, came))
        commands: list[tuple[str, PersonCommand]] = [
            (f"person-{family}", RecordVisits(tuple(found))) for family, found in months.items()
        ]
        for outcome in await handle_many(unit, PERSON, commands):
            if outcome.error is not None:
                raise outcome.error

    types = {
        "AttendanceRecorded": AttendanceRecorded,
        "SessionCorrected": SessionCorrected,
        "SessionCancelled": SessionCancelled,
    }
    return Subscription(SERVICE, SESSION_TOPIC, types, take)


def _with_payee(line: Line, policies: RuleSetPolicies) -> Line:
    # An unknown rule set is refused where the family is judged by it.
    policy = policies.get(line.rule_set)
    return replace(line, members=with_payee(line.members, line.family, line.months, policy))


async def _reinstate(unit: Transaction, reinstated: Sequence[FamilyReinstated]) -> None:
    for body in reinstated:
        await handle(unit, COMMITMENT, f"commitment-{body.family}", Reinstate(body.family))


async def _list_closed(unit: Transaction, closed: ListClosed) -> None:
    note = NoteList(closed.tahap, closed.revision, closed.listed)
    outcome = await handle(unit, EVALUATION, f"evaluation-{closed.tahap}", note)
    if outcome.state.roster_revision == closed.revision:
        await open_evaluation(unit, closed.tahap, closed.listed)


def _command(body: ClosingAnnounced | ListFrozen, policies: RuleSetPolicies) -> Command:
    match body:
        case ClosingAnnounced():
            rule_set = body.policies.rule_set
            # An unknown rule set is refused where families are judged by it, family by family.
            terms = Terms.of(policies[rule_set]) if rule_set in policies else None
            return AnnounceEvaluation(body.tahap, body.months, body.closing_date, rule_set, terms)
        case ListFrozen():
            return NoteFreeze(body.tahap, tuple(deferral.family for deferral in body.deferred))
