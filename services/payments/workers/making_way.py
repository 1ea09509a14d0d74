"""Tahaps that wait behind a cancelled one: they make way, and are announced anew as they were.

The order of the messages is what keeps it right. A later tahap is cancelled before the earlier one,
so that the registry takes back first what it may have begun of it meanwhile; it is announced anew
behind both, so that its list begins when nothing of the earlier one is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import TAHAP
from services.payments.domain.shared.ids import tahap_stream
from services.payments.domain.tahap.announcement_messages import OtherTahap
from services.payments.domain.tahap.cancellation_messages import (
    CancellationProposed,
    CompleteCancellation,
    MakeWay,
)
from services.payments.domain.tahap.state import TahapState

# Whoever adds lines holds the row, so we wait for them here, and then see their lines.
_LISTS: Final = "SELECT FROM list_open WHERE tahap = ANY($1) ORDER BY tahap FOR UPDATE"
_NEXT_REVISION: Final = """
UPDATE list_open SET revision = $2, seen = '', proved = false WHERE tahap = $1
"""


async def alone_with_lists_behind(unit: Transaction, state: TahapState) -> None:
    """Have the tahaps that a proposal shows behind this one until we commit: no line comes."""
    if isinstance(state.proposal, CancellationProposed):
        behind = sorted(state.proposal.behind)
        await unit.hold([tahap_stream(tahap) for tahap in behind])
        await unit.connection.execute(_LISTS, behind)


async def make_way(
    unit: Transaction, state: TahapState, others: Sequence[OtherTahap], checker: str
) -> list[str]:
    """Cancel the tahaps that a proposal shows behind this one, the last first; which they were.

    What does not wait any more is left to the approval, which it refuses.
    """
    proposal = state.proposal
    if not isinstance(proposal, CancellationProposed):
        return []
    behind = sorted(each.tahap for each in others if each.waits and each.tahap in proposal.behind)
    for tahap in reversed(behind):
        await handle(unit, TAHAP, tahap_stream(tahap), MakeWay(proposal.maker, checker))
    return behind


async def announce_anew(unit: Transaction, behind: Sequence[str]) -> None:
    """Announce again, in order, what has made way; there is nothing of it to take back here."""
    for tahap in behind:
        stream = tahap_stream(tahap)
        before = (await unit.load(TAHAP, [stream]))[stream].state
        outcome = await handle(unit, TAHAP, stream, CompleteCancellation(before.revision))
        await unit.connection.execute(_NEXT_REVISION, tahap, outcome.state.revision)
