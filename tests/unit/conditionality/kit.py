"""Words in which the tests of commitment speak: one family, its members, facts and cycles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from services.conditionality.domain.commitment import (
    BringFinding,
    Cause,
    Command,
    CycleEvaluated,
    DecideFinding,
    EvaluateCycle,
    Event,
    Found,
    Released,
    Suspended,
    commitment,
)
from services.conditionality.domain.commitment.sanctions import effect_id
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    Cut,
    ListedMember,
    SchoolMonthly,
    Suspension,
    VisitInCycle,
    VisitMonthly,
)
from services.conditionality.domain.person import Attendance, Person

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
MONTHS = ("2023-01", "2023-02", "2023-03")
POLICY = CommitmentPolicy(
    rule_set="2021-2024",
    attendance_percent_min=85,
    duties={
        "PREGNANT": VisitInCycle("MATERNAL_CHECK"),
        "EARLY_CHILD": VisitMonthly("WEIGHING"),
        "SEVERE_DISABILITY": VisitInCycle("HOME_VISIT"),
        "ELDERLY": VisitInCycle("ELDERLY_CHECK"),
        "SMA": SchoolMonthly(),
        "SMP": SchoolMonthly(),
        "SD": SchoolMonthly(),
    },
    sanction=Suspension("BLOCK", failures_to_investigation=3),
)
CUTS = replace(POLICY, rule_set="2025-2026", sanction=Cut(10, "CYCLE", failures_to_investigation=3))
GOOD = Attendance(effective_days=20, absent=0, permitted=0, sick=0)
BAD = Attendance(effective_days=20, absent=10, permitted=0, sick=0)


def member(*categories: str, ordinal: int = 1, token: str = "t1") -> ListedMember:
    """A member who holds the same categories all through a cycle of three months."""
    return ListedMember(ordinal, token, (categories,) * 3, categories)


def pupil_at_school(attendance: Attendance | None) -> Mapping[str, Person]:
    """The facts of a family of one pupil, the same in each month of MONTHS."""
    return {"t1": Person(school=dict.fromkeys(MONTHS, attendance) if attendance else {})}


Came = Literal["complies", "fails", "is unverified"]
_ATTENDANCE: Mapping[Came, Attendance | None] = {
    "complies": GOOD,
    "fails": BAD,
    "is unverified": None,
}


def cycle(
    tahap: str,
    came: Came,
    *,
    frozen: bool = False,
    cause: Cause | None = None,
    roster_revision: int = 1,
    policy: CommitmentPolicy = POLICY,
) -> EvaluateCycle:
    """The evaluation of a cycle in which the family's only pupil complies, fails, or neither."""
    return EvaluateCycle(
        family=FAMILY,
        tahap=tahap,
        months=MONTHS,
        roster_revision=roster_revision,
        facts_cut=5124,
        members=(member("SD"),),
        facts=pupil_at_school(_ATTENDANCE[came]),
        policy=policy,
        frozen=frozen,
        cause=cause,
    )


def decided(*commands: Command, after: Iterable[Event] = ()) -> tuple[Event, ...]:
    """The events of these commands, one after another, on what happened before."""
    state = commitment.fold(tuple(after))
    events: list[Event] = []
    for command in commands:
        answered = commitment.decide(command, state)
        state = commitment.fold(answered, state)
        events.extend(answered)
    return tuple(events)


def history(*came: Came) -> tuple[Event, ...]:
    """A family whose cycles 2023-1, 2023-2 ... came like this."""
    return decided(*(cycle(f"2023-{number}", how) for number, how in enumerate(came, 1)))


def found(outcome: Found, tahap: str = "2023-3") -> BringFinding:
    """An officer brings what the investigation that opened at a tahap found."""
    return BringFinding(FAMILY, tahap, outcome, "officer-1")


def approved(tahap: str = "2023-3") -> DecideFinding:
    """A supervisor lets the waiting finding stand."""
    return DecideFinding(FAMILY, tahap, "APPROVED", "supervisor-1")


def rejected(tahap: str = "2023-3") -> DecideFinding:
    """A supervisor does not let the waiting finding stand."""
    return DecideFinding(FAMILY, tahap, "REJECTED", "supervisor-1")


def ended(outcome: Found, after: Iterable[Event], tahap: str = "2023-3") -> tuple[Event, ...]:
    """A past behind which two people have ended the investigation of a tahap."""
    past = tuple(after)
    return (*past, *decided(found(outcome, tahap), approved(tahap), after=past))


def effects(events: Iterable[Event]) -> list[Event]:
    """The events that followed from the evaluations among these events."""
    return [event for event in events if not isinstance(event, CycleEvaluated)]


def suspended(tahap: str, *, counter: int, revision: int = 1) -> Suspended:
    """The tahap's own money is held."""
    effect = effect_id(FAMILY, tahap, revision, "Suspended")
    return Suspended(FAMILY, tahap, tahap, revision, counter, effect)


def released(*tahaps: str, cycle: str, revision: int = 1) -> Released:
    """The money of these tahaps is held no longer, because of this cycle."""
    effect = effect_id(FAMILY, cycle, revision, "Released")
    return Released(FAMILY, tahaps, cycle, revision, effect)
