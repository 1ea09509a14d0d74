"""A tahap as payments tells of it, and how it is announced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cli.client.http import Refused
from cli.client.year import Tahap

LISTED: Final = ("READY", "FREEZE_PROPOSED", "PAYING", "SETTLED", "CLOSED")
PROPOSED: Final = "PROPOSED"
CANCELLED: Final = ("CANCELLING", "CANCELLED")
ANNOUNCEMENT: Final = "ANNOUNCEMENT"
CORRECTION: Final = "CORRECTION"
OVER: Final = ("SETTLED", "CLOSED")
AFTER_ENTITLING: Final = (
    "CHECKING_ACCOUNTS",
    "ORDER_READY",
    "ORDER_PROPOSED",
    "RELEASING_FUNDS",
    "DISPATCHING",
    "AWAITING_BANKS",
    "RECONCILED",
)
CHECKED: Final = AFTER_ENTITLING[1:]
"""The phases of a run whose accounts are checked."""
REGULAR: Final = "REGULAR"
UNKNOWN: Final = "tahap-unknown"
"""The problem of a tahap that is neither announced nor proposed."""
# It moved between somebody's look at it and their decision: they look again.
LOOK_AGAIN: Final = (
    *("version-stale", "list-moved", "stale-hash", "nothing-proposed"),
    "diff-not-acknowledged",
)
LOOKS_MAX: Final = 5
DIFFERENT: Final = {
    "SHARED_ACCOUNT": "account shared, withheld",
    "SHARED_PAYEE": "payee shared, withheld",
    "ACCOUNT": "other account",
    "PAYEE": "other payee",
    "NEW_FAMILY": "new families",
    "GONE": "gone",
    "NEW_MEMBER": "with new members",
    "INCREASE": "with more rupiah",
}
"""The words for the ways in which families differ from the last frozen list."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of payments, and their sum."""

    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Deferral:
    """A family that the list can only be frozen without, and the code of why."""

    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class DiffFigures:
    """The differences of a list from the last frozen one, in families by change; both people name
    `to_acknowledge`, where it is there."""

    against: str
    to_acknowledge: str | None
    families: dict[str, int]
    members: int
    increase: int

    def __str__(self) -> str:
        families = self.families.items()
        parts = [f"{DIFFERENT.get(change, change)} {count:,}" for change, count in families]
        raised = f" (Rp {self.increase:,})" if self.increase else ""
        return " · ".join(parts) + raised if parts else "nothing"


@dataclass(frozen=True, slots=True)
class DifferentFamily:
    """A family that differs, and its rupiah on both lists."""

    family: str
    region: str
    changes: tuple[str, ...]
    before: int
    after: int

    def __str__(self) -> str:
        money = f"Rp {self.before:,} -> {self.after:,}"
        return f"{self.family} {self.region} {' '.join(self.changes)} {money}"


@dataclass(frozen=True, slots=True)
class ListDiff:
    """A run's list beside the last frozen one: the first families of each change, and those whose
    rupiah grow most."""

    figures: DiffFigures | None = None
    families: tuple[DifferentFamily, ...] = ()
    largest: tuple[DifferentFamily, ...] = ()

    @property
    def acknowledged(self) -> dict[str, str]:
        """The part of a decision that says that this was seen; empty where nothing differs."""
        seen = self.figures.to_acknowledge if self.figures else None
        return {"diff": seen} if seen else {}


@dataclass(frozen=True, slots=True)
class Lines:
    """The list of a tahap as it is joined; `hash` is there when it can be approved.

    `cut` is what of the rupiah is not paid, because a cycle failed.
    """

    hash: str | None
    count: int | None
    rupiah: int | None
    listed: int
    graduated: int
    evaluated: int
    listed_expected: int | None
    deferred_candidates: tuple[Deferral, ...]
    cut: int | None = None
    differences: DiffFigures | None = None

    @property
    def acknowledged(self) -> dict[str, str]:
        """The part of a decision that says that its differences were seen."""
        return ListDiff(self.differences).acknowledged


@dataclass(frozen=True, slots=True)
class Order:
    """The payments to be ordered, and the hash that two people send."""

    hash: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class Unanswered(Order):
    """The lines of whose accounts the treasury says neither yes nor no; `maker` is who proposes to
    go on without them, None where nobody does."""

    maker: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A word of a partner, TREASURY or a bank, that a person must judge."""

    partner: str
    error: str


@dataclass(frozen=True, slots=True)
class RunState:
    """One payment run; `trouble` says why it stands where it stands."""

    kind: str
    phase: str
    count: int
    order: Order | None
    credited: Totals
    failed: Totals
    trouble: str | None
    unanswered: Unanswered | None = None
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """The months, dates and rules that a tahap is or would be announced with."""

    months: tuple[str, ...]
    closing_date: str
    rule_set: str

    def __str__(self) -> str:
        months = f"{self.months[0]} to {self.months[-1]}"
        return f"{months}, closing {self.closing_date}, rules {self.rule_set}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal that waits for another person: ANNOUNCEMENT, CANCELLATION or CORRECTION.

    `heads` are the positions of the services' logs as they were looked up with it, None of one
    that did not answer; `behind` are later tahaps that wait, and are announced anew as they are.
    """

    what: str
    hash: str
    maker: str
    heads: dict[str, int | None]
    reason: str | None = None
    terms: Terms | None = None
    behind: tuple[str, ...] = ()

    @property
    def and_anew(self) -> str:
        """The words that an approver is asked with about tahaps that make way; empty for none."""
        return f", and announce {', '.join(self.behind)} anew behind it" if self.behind else ""


@dataclass(frozen=True, slots=True)
class Close:
    """A proposal to close a tahap; `count` families are not paid in it any more."""

    hash: str
    maker: str
    count: int


@dataclass(frozen=True, slots=True)
class TahapState:
    """A tahap: its phase, and its terms; `trouble` is why a cancelled one is not taken back yet."""

    tahap: str
    phase: str
    months: tuple[str, ...]
    closing_date: str
    rule_set: str
    list: Lines
    runs: tuple[RunState, ...]
    proposal: Proposal | None = None
    closing: Close | None = None
    revision: int = 1
    trouble: str | None = None

    @property
    def regular(self) -> RunState | None:
        """The run of the frozen list."""
        return next((run for run in self.runs if run.kind == REGULAR), None)

    @property
    def terms(self) -> Terms:
        """The terms that it is or would be announced with."""
        return Terms(self.months, self.closing_date, self.rule_set)

    @property
    def stage(self) -> str:
        """The phase in a word: that of the run while it pays."""
        return self.regular.phase if self.phase == "PAYING" and self.regular else self.phase

    @property
    def entitled(self) -> int:
        """The number of families that have their entitlement."""
        run = self.regular
        return run.count if run and run.phase in AFTER_ENTITLING else 0

    def __str__(self) -> str:
        if self.phase == PROPOSED and self.proposal:
            return f"{PROPOSED} · {self.terms} · by {self.proposal.maker}"
        if self.phase in CANCELLED:
            return f"{self.phase} · {self.terms}{_because(self.trouble)}"
        run = self.regular
        counts = {
            "listed": self.list.listed + self.list.graduated,
            "evaluated": self.list.evaluated,
            "entitled": self.entitled,
            "credited": run.credited.count if run else 0,
        }
        counted = " · ".join(f"{name} {count:,}" for name, count in counts.items())
        return f"{self.stage} · {counted}{_because(run.trouble if run else None)}"


def _because(trouble: str | None) -> str:
    """The end of a line that says why something stands where it stands."""
    return f" · {trouble}" if trouble else ""


def announcement(tahap: Tahap) -> dict[str, object]:
    """The terms of a tahap as they are proposed to payments."""
    return {
        "tahap": tahap.id,
        "months": tahap.months,
        "closing_date": tahap.closing_date,
        "account_check_date": tahap.account_check_date,
        "credit_date": tahap.credit_date,
    }


def announcement_approval(
    proposal: Proposal, after: Mapping[str, int] | None = None
) -> dict[str, object]:
    """The approval of a proposal; `after` is what each service must have in its log first,
    otherwise what the proposal was shown with."""
    shown = {service: head for service, head in proposal.heads.items() if head is not None}
    return {"hash": proposal.hash, "after": shown if after is None else after}


async def look_again(step: Callable[[], Awaitable[None]]) -> None:
    """Take a step of people, who look first; again where what they looked at has moved since.

    Raises `Refused` for what a second look cannot mend, and when LOOKS_MAX were not enough.
    """
    for _ in range(LOOKS_MAX - 1):
        try:
            return await step()
        except Refused as refusal:
            if refusal.kind not in LOOK_AGAIN:
                raise
    return await step()
