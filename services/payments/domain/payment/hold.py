"""The rules by which a payment's money is held, let go and given back.

A decision may come before the entitlement and before the credit; what follows of it then follows
at the credit.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.payment.hold_messages import (
    ClearHold,
    EffectTooLate,
    Hold,
    HoldCleared,
    HoldForfeited,
    HoldLifted,
    HoldPlaced,
    HoldStatus,
    PaymentReleased,
    PaymentReturned,
    Release,
    Return,
    ReturnReason,
)
from services.payments.domain.payment.messages import Command, Event
from services.payments.domain.payment.state import PaymentState, Transfer


def hold(command: Hold, state: PaymentState) -> Sequence[Event]:
    """Hold the money; money that the family can already draw is left alone."""
    if command.effect in state.effects:
        return []
    drawable = state.transfer is Transfer.CREDITED and state.hold is not HoldStatus.HELD
    if drawable or state.hold is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.HELD)]
    return [HoldPlaced(command.effect)]


def release(command: Release, state: PaymentState) -> Sequence[Event]:
    """Lift the hold; where credited money was held, it becomes the family's to draw."""
    if command.effect in state.effects:
        return []
    if state.hold is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.RELEASED)]
    if state.transfer is Transfer.CREDITED and state.hold is HoldStatus.HELD:
        return [_released(state, command.at_tahap, command.effect)]
    # Recorded even where nothing was held, so that a late copy of it cannot lift a later hold.
    return [HoldLifted(command.effect, command.at_tahap, command.cleared)]


def clear_hold(command: ClearHold, state: PaymentState) -> Sequence[Event]:
    """Forget the hold, before anything of the money moved; money that moved is left alone."""
    if command.effect in state.effects:
        return []
    if state.transfer is Transfer.CREDITED:
        return [EffectTooLate(command.effect, HoldStatus.NONE)]
    return [HoldCleared(command.effect)]


def return_held(command: Return, state: PaymentState) -> Sequence[Event]:
    """Forfeit held money; what the family can draw, and what was never sent, does not move."""
    if state.hold is not HoldStatus.HELD:
        return []
    if state.transfer is Transfer.CREDITED:
        return [_returned(state, command.at_tahap, command.reason)]
    return [HoldForfeited(command.at_tahap, command.reason)]


def moved_at_credit(state: PaymentState) -> Sequence[PaymentReleased | PaymentReturned]:
    """Money that moves now, by a decision on held money that came before the credit.

    So the books say the same whether the decision or the bank's answer came first. Where the
    payment's own cycle was corrected, no money was ever to be blocked and none moves.
    """
    if state.forfeited_for is not None:
        return [_returned(state, state.forfeited_at, state.forfeited_for)]
    lifted = state.lifted
    if lifted is not None and (lifted.cleared or lifted.at_tahap != state.tahap):
        return [_released(state, lifted.at_tahap, lifted.effect)]
    return []


def _released(state: PaymentState, at_tahap: str, effect: str) -> PaymentReleased:
    return PaymentReleased(state.payment, state.tahap, state.family, state.due, at_tahap, effect)


def _returned(state: PaymentState, at_tahap: str, reason: ReturnReason) -> PaymentReturned:
    return PaymentReturned(state.payment, state.tahap, state.family, state.due, at_tahap, reason)


def carried(deferred: PaymentState) -> Sequence[Command]:
    """Commands to the supplementary payment in place of a deferred one, once it is entitled.

    Effects name family and tahap; those that came before the supplementary run was opened were
    applied to the deferred payment, which never moves money.
    """
    commands: list[Command] = []
    if deferred.hold is not HoldStatus.NONE:
        commands.append(Hold(deferred.held_by))
    if deferred.lifted is not None:
        lifted = deferred.lifted
        commands.append(Release(lifted.effect, lifted.at_tahap, lifted.cleared))
    if deferred.forfeited_for is not None:
        commands.append(Return(deferred.forfeited_at, deferred.forfeited_for))
    return commands
