"""A payment run ends with its cancelled tahap, and its stream starts anew for the next revision.

Up to the order no money has moved and nobody outside can move any: the treasury has at most looked
at accounts. An approved order is on its way, and what it releases has no way back here.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.errors import TooLateToCancel
from services.payments.domain.run_cancellation_messages import RunCancelled
from services.payments.domain.run_messages import Event
from services.payments.domain.run_state import RunState


def cancel(state: RunState) -> Sequence[Event]:
    """End the run; one that was never opened, or has ended before, has nothing to end."""
    require_cancellable(state)
    if state.opened is None:
        return []
    return [RunCancelled(state.opened.tahap, state.opened.kind)]


def require_cancellable(state: RunState) -> None:
    """Raise `TooLateToCancel` behind the order of the run, or behind its books."""
    if state.order is not None:
        raise TooLateToCancel(step="PaymentOrdered", kind=state.order.kind)
    if state.reconciled is not None:
        raise TooLateToCancel(step="TahapReconciled", kind=state.reconciled.kind)
