"""Events of a family's commitment, each stored and published in one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from services.conditionality.domain.access import Access
from services.conditionality.domain.duties import Duty, Evidence, Excused, Result

Found: TypeAlias = Literal["CONFIRMED", "NOT_CONFIRMED"]
Decision: TypeAlias = Literal["APPROVED", "REJECTED"]
Against: TypeAlias = Literal["HOLD", "CUT", "TERMINATION"]
"""The sanction that an appeal is against."""
RefusedBecause: TypeAlias = Literal["OUTSIDE_REGIONS", "ANOTHER_IS_OPEN", "APPEALED_TOO_OFTEN"]
"""Why an appeal is none: it does not wait, and upheld it orders nothing to be taken as met."""
NotPausedBecause: TypeAlias = (
    Literal["NO_SUCH_CYCLE", "NO_EFFECT", "RETURNED", "NOT_BY_POLICY"] | RefusedBecause
)
AppealOutcome: TypeAlias = Literal["UPHELD", "REFUSED", "REJECTED", "WITHDRAWN"]
OrderOutcome: TypeAlias = Literal["PROPOSED", "DONE", "REFUSED", "NOT_YET_SUPPORTED"]


@dataclass(frozen=True, slots=True)
class CycleEvaluated:
    """A cycle has this result from now on; `counter` is the failures in a row up to this cycle.

    `evidence` is what was on record behind the duties that failed. `cut_percent` is the share by
    which the failure lowers the tahap's benefit; 0 where it did not fail, or its money is held.
    `case` names the complaint by which it was decided again, `excused` the duties that an exception
    keeps from counting; they are not among `duties`. `access` is for the programme's indicators:
    which services are for a member, and if they reached one.
    """

    tahap: str
    family: str
    revision: int
    roster_revision: int
    facts_cut: int
    result: Result
    counter: int
    duties: tuple[Duty, ...]
    evidence: tuple[Evidence, ...] = ()
    cut_percent: int = 0
    case: str = ""
    excused: tuple[Excused, ...] = ()
    access: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    """The tahap was cancelled: its cycle counts no more, and nothing of its money is held."""

    tahap: str
    family: str
    revision: int
    effect: str


@dataclass(frozen=True, slots=True)
class Suspended:
    """The money of `tahap` is held."""

    family: str
    tahap: str
    cycle: str
    revision: int
    counter: int
    effect: str


@dataclass(frozen=True, slots=True)
class Released:
    """The money of these tahaps is held no longer."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    revision: int
    effect: str


@dataclass(frozen=True, slots=True)
class InvestigationOpened:
    """At `tahap` the counter became the number that the policy does not let pass unasked."""

    family: str
    tahap: str
    cycle: str
    revision: int
    counter: int
    effect: str


@dataclass(frozen=True, slots=True)
class InvestigationWithdrawn:
    """A corrected cycle took away the ground on which the investigation had opened."""

    family: str
    tahap: str
    cycle: str
    revision: int
    effect: str


@dataclass(frozen=True, slots=True)
class FindingBrought:
    """Somebody says what the investigation that opened at `tahap` found; it waits for another."""

    family: str
    tahap: str
    outcome: Found
    maker: str


@dataclass(frozen=True, slots=True)
class FindingRejected:
    """The waiting finding does not stand; the investigation goes on."""

    family: str
    tahap: str
    outcome: Found
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class FindingApproved:
    """The finding stands; it takes effect once no appeal of the family pauses anything."""

    family: str
    tahap: str
    outcome: Found
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """The investigation confirmed: the family leaves, the money of these tahaps is forfeited."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    revision: int
    investigation: str
    maker: str
    checker: str
    effect: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """The investigation did not confirm: these tahaps are released, the counter starts anew."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    revision: int
    investigation: str
    maker: str
    checker: str
    effect: str


@dataclass(frozen=True, slots=True)
class Reinstated:
    """Registry took the termination back: behind `cycle` the family is judged and counted anew.

    Money that was returned stays so.
    """

    family: str
    cycle: str


@dataclass(frozen=True, slots=True)
class CorrectionProposed:
    """Late facts would change a frozen cycle to this; nothing changes until a person approves.

    `correction` numbers the family's proposals; a new one for the same tahap takes the place of
    the one before it. `fact` and `recorded_by` say which facts are behind it. `cut_percent` is
    what the corrected cycle would cut, `cut_percent_before` what the standing one cuts. `order` and
    `case` name the order of a complaint that asked for it; empty where facts alone did.
    """

    tahap: str
    family: str
    correction: int
    revision: int
    roster_revision: int
    facts_cut: int
    result: Result
    counter: int
    duties: tuple[Duty, ...]
    fact: int
    recorded_by: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    cut_percent: int = 0
    cut_percent_before: int = 0
    order: str = ""
    case: str = ""
    excused: tuple[Excused, ...] = ()
    access: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectionApproved:
    """A proposed correction takes effect; the `CycleEvaluated` that it brings follows."""

    tahap: str
    family: str
    correction: int
    approver: str


@dataclass(frozen=True, slots=True)
class CorrectionRejected:
    """A proposed correction does not take effect."""

    tahap: str
    family: str
    correction: int
    approver: str


@dataclass(frozen=True, slots=True)
class CorrectionWithdrawn:
    """The facts say again what the cycle says, so there is nothing left to correct."""

    tahap: str
    family: str
    correction: int


@dataclass(frozen=True, slots=True)
class AppealPaused:
    """A case appeals against what followed from a tahap's cycle, and that waits until it has ended.

    The cycle adds nothing to the counter, its held money is neither released nor returned, and no
    termination is carried out.
    """

    family: str
    case: str
    tahap: str
    against: Against


@dataclass(frozen=True, slots=True)
class AppealNotPaused:
    """A case appeals, and nothing waits for it: there is no such cycle or nothing came of it, its
    money is returned already, or the rules of the tahap let appeals pause nothing.

    Or it is refused: the family lives in no region of who opened it, or the cycle is appealed
    against by another case already, or has been as often as the rules let it.
    """

    family: str
    case: str
    tahap: str
    against: Against
    reason: NotPausedBecause


@dataclass(frozen=True, slots=True)
class AppealUpheld:
    """An appeal is right: the cycle is to be decided again; what waits for it waits until then."""

    family: str
    case: str
    tahap: str
    against: Against


@dataclass(frozen=True, slots=True)
class AppealDecisionRefused:
    """A decision on an appeal is none: the family lives in no region of who made it.

    `decision` is its number on the case; what waits goes on waiting for another one.
    """

    family: str
    case: str
    tahap: str
    against: Against
    decision: int
    reason: Literal["OUTSIDE_REGIONS"]


@dataclass(frozen=True, slots=True)
class AppealEnded:
    """Nothing waits for an appeal any more.

    UPHELD: its cycle was corrected. REFUSED: it was upheld, and the correction was not approved or
    not possible. REJECTED or WITHDRAWN: what it was against goes on.
    """

    family: str
    case: str
    tahap: str
    against: Against
    outcome: AppealOutcome


@dataclass(frozen=True, slots=True)
class OrderAnswered:
    """The answer to an order of a case: a correction is PROPOSED, DONE once it is approved, or
    REFUSED for a `reason`."""

    family: str
    order: str
    case: str
    outcome: OrderOutcome
    reason: str = ""


Event: TypeAlias = (
    CycleEvaluated
    | CycleWithdrawn
    | Suspended
    | Released
    | InvestigationOpened
    | InvestigationWithdrawn
    | FindingBrought
    | FindingRejected
    | FindingApproved
    | Terminated
    | Cleared
    | Reinstated
    | CorrectionProposed
    | CorrectionApproved
    | CorrectionRejected
    | CorrectionWithdrawn
    | AppealPaused
    | AppealNotPaused
    | AppealUpheld
    | AppealDecisionRefused
    | AppealEnded
    | OrderAnswered
)
