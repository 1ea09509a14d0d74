"""Commands to a tahap's evaluation, and its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from libs.events.domain.list_proof import BucketsJson
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    Cut,
    SchoolMonthly,
    Source,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The duties and sanctions of a rule set, word for word, and where they come from.

    `services` names what members of a category attend; a category without one goes to school.
    `failures_to_investigation` is None where failures in a row are not counted. `cut_percent` is
    by how much a failed cycle lowers the benefit; None where its money is held instead.
    """

    attendance_percent_min: int
    services: dict[str, str]
    failures_to_investigation: int | None
    sources: tuple[Source, ...]
    cut_percent: int | None = None

    @classmethod
    def of(cls, policy: CommitmentPolicy) -> Terms:
        """The text of a policy for those who explain a result by it."""
        further = {name: duty.rule for name, duty in policy.further.items()}
        rules, sanction = {**policy.duties, **further}.items(), policy.sanction
        return cls(
            attendance_percent_min=policy.attendance_percent_min,
            services={name: r.service for name, r in rules if not isinstance(r, SchoolMonthly)},
            failures_to_investigation=sanction.failures_to_investigation,
            sources=policy.sources,
            cut_percent=sanction.percent if isinstance(sanction, Cut) else None,
        )


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnnounceEvaluation:
    """A closing is announced: these months (YYYY-MM) are to be judged by this rule set."""

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    rule_set: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class NoteList:
    """The roster is complete in this revision and lists so many families to evaluate."""

    tahap: str
    roster_revision: int
    listed: int


@dataclass(frozen=True, slots=True)
class CloseEvaluation:
    """Every listed family is accounted for: evaluated, or named in `parked`.

    A family in `parked` is not evaluated: its line is parked, or it was terminated since.
    `buckets` proves the evaluated lines: {first byte of the family id, hex: (count, hash sum)}
    over the latest `CycleEvaluated` of each family.
    """

    tahap: str
    evaluated: int
    parked: tuple[str, ...]
    buckets: BucketsJson


@dataclass(frozen=True, slots=True)
class NoteFreeze:
    """The tahap's list is frozen but for these deferred families."""

    tahap: str
    deferred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelEvaluation:
    """The tahap is cancelled, in this revision of its announcement and of its roster."""

    tahap: str
    revision: int


Command: TypeAlias = AnnounceEvaluation | NoteList | CloseEvaluation | NoteFreeze | CancelEvaluation


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvaluationAnnounced:
    """Evaluation of a tahap may begin; the rule set says by which policy. Published."""

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    rule_set: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class EvaluationListed:
    """The number of families that a revision of the roster lists to evaluate."""

    tahap: str
    roster_revision: int
    listed: int


@dataclass(frozen=True, slots=True)
class EvaluationClosed:
    """Every listed family is accounted for; published. A re-decided family makes a new revision."""

    tahap: str
    revision: int
    evaluated: int
    parked: tuple[str, ...]
    buckets: BucketsJson
    roster_revision: int = 1


@dataclass(frozen=True, slots=True)
class EvaluationFrozen:
    """From here on a changed result of a family on the list is a proposed correction."""

    tahap: str
    deferred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluationCancelled:
    """The tahap is cancelled: cycles that were judged by rosters up to this one are withdrawn."""

    tahap: str
    revision: int


Event: TypeAlias = (
    EvaluationAnnounced
    | EvaluationListed
    | EvaluationClosed
    | EvaluationFrozen
    | EvaluationCancelled
)
