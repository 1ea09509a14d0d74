"""A tahap's list as it stands: what has arrived, what it comes to, and whom it is without."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from libs.events.store.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC, ROSTER_TOPIC
from services.payments.domain.list_diff import ListDiff
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.state import PaymentList, TahapState
from services.payments.tables.holds import families_parked, held_among, held_on_list
from services.payments.tables.list_lines import arrived, incomplete
from services.payments.tables.open_lists import (
    counted,
    parked_lines,
    proof_of,
    withheld_by_reason,
)
from services.payments.workers.entitle import CANNOT_BE_ENTITLED

MISSING_SHOWN_MAX: Final = 100


class Candidate(BaseModel):
    """A family that did not arrive complete, and why; it can only be deferred."""

    family: str
    reason: str


class DiffFigures(BaseModel):
    """The differences of a list from that of `against`, the last one that was frozen.

    `families` counts by change: paid on another ACCOUNT, by another PAYEE, NEW_FAMILY, GONE, with a
    NEW_MEMBER, with more rupiah (INCREASE, `increase` in sum), withheld as SHARED_ACCOUNT or
    SHARED_PAYEE. `hash` is over all of them; where `to_acknowledge` is set, both people name it.
    """

    against: str
    hash: str
    to_acknowledge: str | None
    families: dict[str, int]
    members: int
    increase: int

    @classmethod
    def of(cls, diff: ListDiff) -> DiffFigures:
        """The figures as they stand in the log."""
        return cls(
            against=diff.against,
            hash=diff.hash,
            to_acknowledge=diff.to_acknowledge or None,
            families={str(change): n for change, n in diff.families.items()},
            members=diff.members,
            increase=diff.increase,
        )


class ListView(BaseModel):
    """A tahap's regular list: what has arrived of what is expected, and what it comes to.

    `cut` is what of the rupiah is not paid, because a cycle failed; `held` are the first families
    on it whom two people hold on the tahap's credit date. `withheld` counts by reason whom the
    registry could not list, beyond those that are named as missing: the freeze defers them, too.
    `differences` is None before the list is ready, and where none was frozen before.
    """

    hash: str | None
    count: int | None
    rupiah: int | None
    cut: int | None
    listed: int
    graduated: int
    pending: int
    evaluated: int
    listed_expected: int | None
    graduated_expected: int | None
    evaluated_expected: int | None
    missing: list[str]
    deferred_candidates: list[Candidate]
    outstanding: list[str]
    held: list[Candidate]
    withheld: dict[str, int]
    differences: DiffFigures | None


async def list_view(unit: Transaction, state: TahapState) -> ListView:
    """A tahap's regular list as it stands."""
    regular = state.list_of(REGULAR) or PaymentList(REGULAR)
    listed = (await counted(unit, state.tahap, ROSTER_TOPIC)).lines
    evaluated = (await counted(unit, state.tahap, COMMITMENT_TOPIC)).lines
    roster = await proof_of(unit, state.tahap, ROSTER_TOPIC)
    evaluation = await proof_of(unit, state.tahap, COMMITMENT_TOPIC)
    ready, graduated = regular.ready, roster.graduated if roster else 0
    return ListView(
        hash=ready.hash if ready else None,
        count=ready.count if ready else None,
        rupiah=ready.rupiah if ready else None,
        cut=ready.cut if ready else None,
        listed=max(listed - graduated, 0),
        graduated=graduated,
        pending=roster.pending if roster else 0,
        evaluated=evaluated,
        listed_expected=roster.lines - graduated if roster else None,
        graduated_expected=graduated if roster else None,
        evaluated_expected=evaluation.lines if evaluation else None,
        missing=await _missing(unit, state.tahap, regular),
        deferred_candidates=await candidates(unit, state, regular),
        outstanding=list(state.outstanding[:MISSING_SHOWN_MAX]),
        held=await _held(unit, state),
        withheld=await withheld_by_reason(unit, state.tahap),
        differences=DiffFigures.of(ready.diff) if ready and ready.diff else None,
    )


async def _missing(unit: Transaction, tahap: str, payment_list: PaymentList) -> list[str]:
    """Families that are missing: once a list is ready, those that it can only defer."""
    if payment_list.ready is not None:
        return list(payment_list.ready.missing[:MISSING_SHOWN_MAX])
    return await incomplete(unit, tahap, limit=MISSING_SHOWN_MAX)


async def _held(unit: Transaction, state: TahapState) -> list[Candidate]:
    if state.terms is None:
        return []  # cancelled: nobody is paid by it
    held = await held_on_list(unit, state.tahap, state.day_of(REGULAR), MISSING_SHOWN_MAX)
    return [Candidate(family=family, reason=reason) for family, reason in held.items()]


async def candidates(
    unit: Transaction, state: TahapState, payment_list: PaymentList
) -> list[Candidate]:
    """Families that a list can only defer, each with the code of why."""
    if payment_list.ready is None or not payment_list.ready.missing:
        return []
    roster = await proof_of(unit, state.tahap, ROSTER_TOPIC)
    parked = {
        *await parked_lines(unit, state.tahap, ROSTER_TOPIC),
        *await families_parked(unit, COMMITMENT_TOPIC),
    }
    evaluation = await proof_of(unit, state.tahap, COMMITMENT_TOPIC)
    reasons: dict[str, str] = {}
    if payment_list.kind == REGULAR and payment_list.frozen is None:
        # Who is there whole by then, and missing for no other reason, is one whom the table fails
        # at; who arrives behind the freeze is only late.
        whole = await arrived(unit, state.tahap, payment_list.ready.missing)
        reasons = dict.fromkeys(whole, CANNOT_BE_ENTITLED)
    reasons |= dict.fromkeys(evaluation.parked if evaluation else (), "PARKED_AT_CONDITIONALITY")
    reasons |= dict.fromkeys(parked, "PARKED_AT_PAYMENTS")
    reasons |= dict(roster.withheld if roster else {})
    reasons |= await held_among(
        unit, state.tahap, state.day_of(payment_list.kind), payment_list.ready.missing
    )
    return [
        Candidate(family=family, reason=reasons.get(family, "PARKED_AT_CONDITIONALITY"))
        for family in payment_list.ready.missing
    ]
