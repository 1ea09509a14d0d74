"""Duties of each listed member in a cycle, and whether the recorded facts show them done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias

from libs.events.domain.errors import DomainError
from services.conditionality.domain.person import Attendance, Person

Outcome: TypeAlias = Literal["PASSED", "FAILED", "UNVERIFIED"]
Reason: TypeAlias = Literal["ATTENDANCE_BELOW_THRESHOLD", "NOT_ATTENDED", "NO_RECORD"]
Result: TypeAlias = Literal["COMPLIANT", "FAILED", "UNVERIFIED"]

PAYEE: Final = "PAYEE"
SCHOOL: Final = "SCHOOL"
"""The word for attendance, beside the services of health facilities."""


# -- Policy ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SchoolMonthly:
    """Enough days at school in every month of the cycle."""


@dataclass(frozen=True, slots=True)
class VisitMonthly:
    """The service attended in every month of the cycle."""

    service: str


@dataclass(frozen=True, slots=True)
class VisitInCycle:
    """The service attended at least once in the months of the cycle."""

    service: str


@dataclass(frozen=True, slots=True)
class VisitWhenDue:
    """The service attended in the months in which it was due, as its record says; else nothing."""

    service: str


DutyRule: TypeAlias = SchoolMonthly | VisitMonthly | VisitInCycle | VisitWhenDue


@dataclass(frozen=True, slots=True)
class FurtherDuty:
    """A duty that members of a category owe beside the category's own."""

    category: str
    rule: DutyRule


@dataclass(frozen=True, slots=True)
class Suspension:
    """A failed cycle holds its tahap's money back until the family complies.

    BLOCK: credited to the account and blocked there; WITHHOLD: not paid, added to a later payment.
    """

    kind: Literal["BLOCK", "WITHHOLD"]
    failures_to_investigation: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A failed cycle lowers the benefit by a share, in percent, for each month or for the cycle.

    Nothing is held. Without a number of failures no investigation is opened.
    """

    percent: int
    per: Literal["MONTH", "CYCLE"]
    failures_to_investigation: int | None = None
    cycles_to_expulsion: int | None = None


Sanction: TypeAlias = Suspension | Cut


@dataclass(frozen=True, slots=True)
class Excuse:
    """The duties that an exception for one reason excuses, by what shows them done, and its term.

    `kinds` are services, and SCHOOL; `days_max` is the longest that such an exception may go on.
    """

    kinds: frozenset[str]
    days_max: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part of the rules comes from: ATTENDANCE, DUTIES or SANCTION."""

    of: Literal["ATTENDANCE", "DUTIES", "SANCTION"]
    title: str
    note: str = ""


class AppealLimits(NamedTuple):
    """The number of cases that may appeal against one sanction of a cycle: `open` at a time,
    `decided` in all. One that came before there was a cycle counts among neither."""

    open: int = 1
    decided: int = 2


ONE_AT_A_TIME: Final = AppealLimits()


@dataclass(frozen=True, slots=True)
class CommitmentPolicy:
    """The duties and the sanction of one rule set, as dated policy gives them.

    `appeals_pause` says that what an appeal is against waits until the appeal has ended,
    `appeal_limits` how often one sanction of a cycle is appealed against.
    """

    rule_set: str
    attendance_percent_min: int
    duties: Mapping[str, DutyRule]
    """By category its own duty, which has the category's name."""
    sanction: Sanction
    sources: tuple[Source, ...] = ()
    appeals_pause: bool = False
    appeal_limits: AppealLimits = ONE_AT_A_TIME
    excuses: Mapping[str, Excuse] = field(default_factory=dict)
    further: Mapping[str, FurtherDuty] = field(default_factory=dict)
    """By its name each duty beside those; PAYEE is the category of who receives the money."""


# -- The roster's word ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member as a roster line lists it: categories held at each month's end and at the closing.

    `months` is parallel to the months of the tahap; `member` is the ordinal within the family;
    `token` names the person's stream.
    """

    member: int
    token: str
    months: tuple[tuple[str, ...], ...]
    closing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exempt:
    """An exception that holds for the family: for which reason, and on which days."""

    exception: str
    reason: str
    first_day: date
    last_day: date

    def holds_in(self, month: str) -> bool:
        """True if it holds on any day of a month (YYYY-MM)."""
        return f"{self.first_day:%Y-%m}" <= month <= f"{self.last_day:%Y-%m}"


def asks_payee(policy: CommitmentPolicy) -> bool:
    """True where the policy asks a duty of whoever receives the money."""
    return any(duty.category == PAYEE for duty in policy.further.values())


def with_payee(
    members: tuple[ListedMember, ...],
    family: str,
    months: Sequence[str],
    policy: CommitmentPolicy | None,
) -> tuple[ListedMember, ...]:
    """The members, and before them the payee where the policy asks a duty of them.

    The payee is member 0, and known by the family's id: p2k2 marks families, not persons.
    """
    if policy is None or not asks_payee(policy):
        return members
    return (ListedMember(0, family, ((PAYEE,),) * len(months), (PAYEE,)), *members)


def tokens_of(members: Iterable[ListedMember]) -> tuple[str, ...]:
    """The persons whose facts an evaluation of these members needs, ascending."""
    return tuple(sorted({member.token for member in members}))


class LineDoesNotFit(DomainError):
    """A roster line does not have one list of categories for each month of the tahap."""


class UnknownCategory(DomainError):
    """A category has no duty in this rule set."""


class FactsMissing(DomainError):
    """The facts of a listed person were not loaded."""


# -- Rules ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duty:
    """One member's duty and its outcome; `month` is None where it is once in the cycle."""

    member: int
    duty: str
    month: str | None
    outcome: Outcome
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Excused:
    """A duty that was not shown done and does not count, because of an exception.

    `month` is None where the duty is once in the cycle.
    """

    member: int
    duty: str
    month: str | None
    exception: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record behind a failed duty; the keys are the duty's own.

    At school the month's days, of which (effective - absent - permitted) / effective count; for
    a visit the months of the cycle in which the service was offered and not attended.
    """

    member: int
    duty: str
    month: str | None
    service: str | None = None
    missed: tuple[str, ...] = ()
    effective_days: int = 0
    absent: int = 0
    permitted: int = 0
    sick: int = 0


DutyOutcome: TypeAlias = tuple[Outcome, Reason | None]

_PASSED: Final[DutyOutcome] = ("PASSED", None)
_TOO_FEW_DAYS: Final[DutyOutcome] = ("FAILED", "ATTENDANCE_BELOW_THRESHOLD")
_NOT_ATTENDED: Final[DutyOutcome] = ("FAILED", "NOT_ATTENDED")
_NO_RECORD: Final[DutyOutcome] = ("UNVERIFIED", "NO_RECORD")


def duties_of(
    members: Sequence[ListedMember],
    months: Sequence[str],
    facts: Mapping[str, Person],
    policy: CommitmentPolicy,
) -> tuple[Duty, ...]:
    """Every duty of the cycle, member by member: month by month, then those once in the cycle.

    A member has every duty of every category held, though money counts only one of them.
    `facts` holds a state for each listed token, `Person()` where nothing was ever recorded.
    """
    return tuple(
        duty for member in members for duty in _judged_duties(member, months, facts, policy)
    )


def excused_of(
    duties: Sequence[Duty],
    months: Sequence[str],
    exempt: Sequence[Exempt],
    policy: CommitmentPolicy,
) -> tuple[Excused, ...]:
    """The duties that exceptions excuse; one that was done counts as done all the same.

    A duty of a month is excused by an exception that holds in it, one of the cycle where in each
    of its months some exception does: otherwise there was a month to do it in.
    """
    if not exempt:
        return ()
    return tuple(
        Excused(duty.member, duty.duty, duty.month, found.exception, found.reason)
        for duty in duties
        if duty.outcome != "PASSED" and (found := _exempt_from(duty, months, exempt, policy))
    )


def _exempt_from(
    duty: Duty, months: Sequence[str], exempt: Sequence[Exempt], policy: CommitmentPolicy
) -> Exempt | None:
    kind = kind_of(_rule(policy, duty.duty))
    excusing = [
        one
        for one in exempt
        if one.reason in policy.excuses and kind in policy.excuses[one.reason].kinds
    ]
    found = [
        next((one for one in excusing if one.holds_in(month)), None)
        for month in (months if duty.month is None else [duty.month])
    ]
    return found[0] if all(found) else None


def kind_of(rule: DutyRule) -> str:
    """The kind of record that shows a duty done: a service, or SCHOOL."""
    return SCHOOL if isinstance(rule, SchoolMonthly) else rule.service


def result_of(duties: Iterable[Duty], excused: Sequence[Excused] = ()) -> Result:
    """FAILED if a duty that counts failed, else UNVERIFIED if one is; no duty at all is COMPLIANT.

    A cycle whose duties are all excused is UNVERIFIED: neither failed nor kept.
    """
    outcomes = {duty.outcome for duty in duties}
    if "FAILED" in outcomes:
        return "FAILED"
    unknown = "UNVERIFIED" in outcomes or (excused and not outcomes)
    return "UNVERIFIED" if unknown else "COMPLIANT"


def evidence_of(
    duties: Iterable[Duty],
    members: Sequence[ListedMember],
    months: Sequence[str],
    facts: Mapping[str, Person],
    policy: CommitmentPolicy,
) -> tuple[Evidence, ...]:
    """The record behind each duty that failed; nothing of those that did not."""
    persons = {member.member: facts[member.token] for member in members}
    return tuple(
        _evidence(duty, _rule(policy, duty.duty), persons[duty.member], months)
        for duty in duties
        if duty.outcome == "FAILED"
    )


def _evidence(duty: Duty, rule: DutyRule, person: Person, months: Sequence[str]) -> Evidence:
    match rule:
        case VisitMonthly(service) | VisitInCycle(service) | VisitWhenDue(service):
            recorded = person.visits.get(service, {})
            looked_at = months if duty.month is None else [duty.month]
            missed = tuple(month for month in looked_at if recorded.get(month) is False)
            return Evidence(duty.member, duty.duty, duty.month, service, missed)
        case SchoolMonthly():
            days = person.school[duty.month or ""]
            return Evidence(
                member=duty.member,
                duty=duty.duty,
                month=duty.month,
                effective_days=days.effective_days,
                absent=days.absent,
                permitted=days.permitted,
                sick=days.sick,
            )


def _judged_duties(
    member: ListedMember,
    months: Sequence[str],
    facts: Mapping[str, Person],
    policy: CommitmentPolicy,
) -> Iterator[Duty]:
    if len(member.months) != len(months):
        raise LineDoesNotFit(member=member.member, months=len(months))
    # A person whom nobody loaded is not one of whom nothing is recorded.
    if member.token not in facts:
        raise FactsMissing(member=member.member)
    person = facts[member.token]
    for month, categories in zip(months, member.months, strict=True):
        for category in categories:
            for duty in _names(policy, category):
                outcome = _in_month(_rule(policy, duty), person, month, policy)
                if outcome is not None:
                    yield Duty(member.member, duty, month, *outcome)
    for category in member.closing:
        for duty in _names(policy, category):
            outcome = _in_cycle(_rule(policy, duty), person, months)
            if outcome is not None:
                yield Duty(member.member, duty, None, *outcome)


def _names(policy: CommitmentPolicy, category: str) -> list[str]:
    """The duties of a category: its own, which has its name, then those beside it."""
    further = [name for name, duty in policy.further.items() if duty.category == category]
    return further if category == PAYEE else [category, *further]


def _rule(policy: CommitmentPolicy, duty: str) -> DutyRule:
    if duty in policy.further:
        return policy.further[duty].rule
    try:
        return policy.duties[duty]
    except KeyError:
        raise UnknownCategory(category=duty, rule_set=policy.rule_set) from None


def _in_month(
    rule: DutyRule, person: Person, month: str, policy: CommitmentPolicy
) -> DutyOutcome | None:
    match rule:
        case SchoolMonthly():
            return attendance(person.school.get(month), policy.attendance_percent_min)
        case VisitMonthly(service):
            return _visits([person.visits.get(service, {}).get(month)])
        case VisitWhenDue(service):
            attended = person.visits.get(service, {}).get(month)
            return None if attended is None else _visits([attended])
        case VisitInCycle():
            return None


def _in_cycle(rule: DutyRule, person: Person, months: Sequence[str]) -> DutyOutcome | None:
    match rule:
        case VisitInCycle(service):
            recorded = person.visits.get(service, {})
            return _visits([recorded.get(month) for month in months])
        case SchoolMonthly() | VisitMonthly() | VisitWhenDue():
            return None


def attendance(record: Attendance | None, percent_min: int) -> DutyOutcome | None:
    """A pupil's outcome for a month: at school often enough or not; None where nothing was owed.

    Days without reason and with leave count against the pupil, sickness does not. A month
    without teaching owes nothing.
    """
    if record is None:
        return _NO_RECORD
    if record.effective_days == 0:
        return None
    present = record.effective_days - record.absent - record.permitted
    # Whole numbers on both sides: exactly the threshold passes, and a float could miss it.
    if 100 * present >= percent_min * record.effective_days:
        return _PASSED
    return _TOO_FEW_DAYS


def _visits(recorded: Sequence[bool | None]) -> DutyOutcome:
    """Passed by one visit, failed by records of none, unverified without a record."""
    if any(recorded):
        return _PASSED
    return _NOT_ATTENDED if False in recorded else _NO_RECORD
