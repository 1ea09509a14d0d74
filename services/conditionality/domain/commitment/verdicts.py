"""A family's cycle judged by the facts at a cut, before anything counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.conditionality.domain.access import Access, access_of
from services.conditionality.domain.commitment.commands import EvaluateCycle
from services.conditionality.domain.commitment.cycles import Cycle, digest_of
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    Cut,
    Duty,
    Evidence,
    Excused,
    Result,
    duties_of,
    evidence_of,
    excused_of,
    result_of,
)


def cut_percent(policy: CommitmentPolicy, result: Result) -> int:
    """The percentage by which a cycle of this result lowers the tahap's benefit."""
    if isinstance(policy.sanction, Cut) and result == "FAILED":
        return policy.sanction.percent
    return 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A family's cycle as the facts at a cut show it, before anything counts.

    `cut_percent` is by how much the tahap's benefit is cut once the verdict counts; 0 for no cut.
    `case` names the complaint by which the cycle is decided again; `excused` are the duties that do
    not count because of an exception, `access` what the indicators count.
    """

    family: str
    tahap: str
    roster_revision: int
    facts_cut: int
    duties: tuple[Duty, ...]
    result: Result
    digest: str
    evidence: tuple[Evidence, ...] = ()
    cut_percent: int = 0
    case: str = ""
    excused: tuple[Excused, ...] = ()
    access: tuple[Access, ...] = ()

    def cycle(self, revision: int) -> Cycle:
        """The cycle that it makes, as this revision."""
        return Cycle(
            tahap=self.tahap,
            revision=revision,
            roster_revision=self.roster_revision,
            result=self.result,
            digest=self.digest,
            cut_percent=self.cut_percent,
        )


def judge(command: EvaluateCycle, excused_by: str = "") -> Verdict:
    """The duties of the cycle as the facts show them.

    Where a case with an upheld appeal excuses it, what failed is taken as met.
    """
    judged_by = command.members, command.months, command.facts, command.policy
    owed = duties_of(*judged_by)
    if excused_by:
        owed = tuple(_as_met(duty) for duty in owed)
    excused = excused_of(owed, command.months, command.exempt, command.policy)
    without = {(duty.member, duty.duty, duty.month) for duty in excused}
    duties = tuple(duty for duty in owed if (duty.member, duty.duty, duty.month) not in without)
    result = result_of(duties, excused)
    return Verdict(
        family=command.family,
        tahap=command.tahap,
        roster_revision=command.roster_revision,
        facts_cut=command.facts_cut,
        duties=duties,
        result=result,
        digest=digest_of(duties, excused),
        evidence=evidence_of(duties, *judged_by),
        cut_percent=cut_percent(command.policy, result),
        case=excused_by,
        excused=excused,
        access=access_of(*judged_by),
    )


def _as_met(duty: Duty) -> Duty:
    return duty if duty.outcome != "FAILED" else replace(duty, outcome="PASSED", reason=None)
