"""Tahaps that make way for an earlier one that is cancelled, corrected or announced anew.

The order of the messages is what keeps it right. A later tahap is cancelled before the earlier one,
so that the registry takes back first what it may have begun of it meanwhile. The canceller
announces it anew, as it was, behind both and behind what the earlier one is corrected to: its list
begins when nothing is left of what was cancelled, and when the earlier list is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import TAHAP
from services.payments.domain.tahap.messages import MakeWay, OtherTahap
from services.payments.domain.tahap.state import TahapState
from services.payments.workers.canceller import begin_cancelling

# Whoever adds lines holds the row, so we wait for them here, and then see their lines.
_LISTS: Final = "SELECT FROM list_open WHERE tahap = ANY($1) ORDER BY tahap FOR UPDATE"


async def alone_with_lists_behind(unit: Transaction, state: TahapState) -> None:
    """Have the tahaps that a proposal shows behind this one until we commit: no line comes."""
    if state.proposal is not None:
        behind = sorted(state.proposal.behind)
        await unit.hold([TAHAP.stream(tahap) for tahap in behind])
        await unit.connection.execute(_LISTS, behind)


async def make_way(
    unit: Transaction, state: TahapState, others: Sequence[OtherTahap], checker: str
) -> None:
    """Cancel the tahaps that a proposal shows behind this one, the last first.

    What does not wait any more is left to the approval, which it refuses.
    """
    proposal = state.proposal
    if proposal is None:
        return
    behind = sorted(
        other.tahap for other in others if other.waits and other.tahap in proposal.behind
    )
    for tahap in reversed(behind):
        command = MakeWay(proposal.maker, checker)
        outcome = await handle(unit, TAHAP, TAHAP.stream(tahap), command)
        await begin_cancelling(unit, tahap, outcome.state.revision)
