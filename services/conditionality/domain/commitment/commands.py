"""Commands to a family's commitment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.conditionality.domain.commitment.events import (
    Against,
    CycleEvaluated,
    Decision,
    Found,
)
from services.conditionality.domain.duties import (
    ONE_AT_A_TIME,
    AppealLimits,
    CommitmentPolicy,
    Exempt,
    ListedMember,
)
from services.conditionality.domain.person import Person


@dataclass(frozen=True, slots=True)
class Cause:
    """The recorded facts behind a re-evaluation.

    `fact` is the position of the latest of them in this service's log, `recorded_by` the actors
    who recorded them: none of them may approve what follows.
    """

    fact: int
    recorded_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluateCycle:
    """Judge a family's cycle from the roster's line and the facts known at a cut.

    `months` (YYYY-MM) are the tahap's; `facts` holds a state for each listed token, as of the log
    position `facts_cut`; `frozen` says that the tahap's list is frozen with this family on it;
    `cause` is given by whoever re-decides because of late facts; `exempt` are the exceptions that
    hold for the family in these months.
    """

    family: str
    tahap: str
    months: tuple[str, ...]
    roster_revision: int
    facts_cut: int
    members: tuple[ListedMember, ...]
    facts: Mapping[str, Person]
    policy: CommitmentPolicy
    frozen: bool = False
    cause: Cause | None = None
    exempt: tuple[Exempt, ...] = ()


@dataclass(frozen=True, slots=True)
class ApproveCorrection:
    """A person lets a proposed correction take effect; `correction` is its number."""

    family: str
    correction: int
    approver: str
    policy: CommitmentPolicy


@dataclass(frozen=True, slots=True)
class RejectCorrection:
    """A person decides that a proposed correction shall not take effect."""

    family: str
    correction: int
    approver: str
    policy: CommitmentPolicy


@dataclass(frozen=True, slots=True)
class BringFinding:
    """The finding of the investigation that opened at `tahap`; nothing follows from it yet."""

    family: str
    tahap: str
    outcome: Found
    maker: str


@dataclass(frozen=True, slots=True)
class DecideFinding:
    """Another person than its maker lets the waiting finding take effect, or not."""

    family: str
    tahap: str
    decision: Decision
    checker: str


@dataclass(frozen=True, slots=True)
class WithdrawCycle:
    """Take back the cycle of a cancelled tahap that was judged by its roster's revision."""

    family: str
    tahap: str
    roster_revision: int
    policy: CommitmentPolicy


@dataclass(frozen=True, slots=True)
class RepeatEvaluation:
    """Say again how a cycle was judged, because whoever counted on it did not receive it so."""

    evaluated: CycleEvaluated


@dataclass(frozen=True, slots=True)
class Reinstate:
    """Registry took the family's termination back."""

    family: str


@dataclass(frozen=True, slots=True)
class NoteAppeal:
    """A case appeals against what followed from a tahap's cycle.

    `pauses` says that by the rules of that tahap this waits until the appeal has ended, and
    `limits` how often a cycle is appealed against; `inside` that the family lives in a region of
    who opened it.
    """

    family: str
    case: str
    tahap: str
    against: Against
    pauses: bool
    limits: AppealLimits = ONE_AT_A_TIME
    inside: bool = True


@dataclass(frozen=True, slots=True)
class DecideAppeal:
    """The appeal of a case was decided, by those who handle cases.

    `policy` is that of its tahap; None where no line of that is left, and nothing can go on.
    `decision` is its number on the case; `inside` says that the family lives in a region of who
    made it.
    """

    family: str
    case: str
    outcome: Literal["UPHELD", "REJECTED", "WITHDRAWN"]
    policy: CommitmentPolicy | None
    decision: int = 1
    inside: bool = True


@dataclass(frozen=True, slots=True)
class OrderReevaluation:
    """A case asks for a cycle to be decided again.

    `evaluate` judges it by all that is recorded; its cause names everybody who recorded any of
    that, and who asks: none of them may approve what follows.
    """

    order: str
    case: str
    evaluate: EvaluateCycle


@dataclass(frozen=True, slots=True)
class AnswerOrder:
    """An order of a case that nothing follows from, and why.

    `tahap` is that of the cycle that it was about: an upheld appeal of the case against that cycle
    has come to nothing with it. Empty where another order may still come. `policy` is as in
    `DecideAppeal`.
    """

    family: str
    order: str
    case: str
    reason: str
    policy: CommitmentPolicy | None = None
    tahap: str = ""


Command: TypeAlias = (
    EvaluateCycle
    | ApproveCorrection
    | RejectCorrection
    | BringFinding
    | DecideFinding
    | WithdrawCycle
    | RepeatEvaluation
    | Reinstate
    | NoteAppeal
    | DecideAppeal
    | OrderReevaluation
    | AnswerOrder
)
