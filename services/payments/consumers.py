"""What payments takes from others: the roster, evaluations, and effects on held money."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libs.events.subscription import Incoming, Subscription
from libs.events.transaction import Transaction
from services.payments.contract import (
    COMMITMENT_TOPIC,
    ROSTER_TOPIC,
    SERVICE,
    TAHAP,
    FamilyListed,
    ListClosed,
)
from services.payments.contract_commitment import (
    Cleared,
    CycleEvaluated,
    EvaluationClosed,
    Released,
    Suspended,
    Terminated,
    asked_of_payments,
)
from services.payments.domain.ids import tahap_stream
from services.payments.domain.tahap_state import TahapState
from services.payments.late_lines import keep_late_evaluations, take_late_lines
from services.payments.lists import join_evaluations, join_roster, still_open
from services.payments.money import pay, payments_of
from services.payments.proofs import keep_proof


async def _roster(unit: Transaction, messages: Sequence[Incoming]) -> None:
    lines = [m for m in messages if isinstance(m.body, FamilyListed)]
    await join_roster(unit, await _taken(unit, [m for m in lines if not m.body.reopening]))
    await take_late_lines(unit, [m for m in lines if m.body.reopening])
    for message in messages:
        if isinstance(message.body, ListClosed):
            await keep_proof(unit, message.body, message.envelope.position)


async def _taken(unit: Transaction, lines: Sequence[Incoming]) -> Sequence[Incoming]:
    """The lines that may still change a list: all of an open one; of a frozen one those of
    families that were deferred and that no other list has taken up."""
    tahaps = {line.body.tahap for line in lines}
    frozen = tahaps - await still_open(unit, tahaps)
    if not frozen:
        return lines
    awaited = await _awaited(unit, frozen)
    met = {line.body.tahap for line in lines if (line.body.tahap, line.body.family) in awaited}
    if met:
        # Whoever opens a list of them waits for us now, or has opened it before we look again.
        await unit.hold(sorted(tahap_stream(tahap) for tahap in met))
        awaited = await _awaited(unit, frozen)
    return [
        line
        for line in lines
        if line.body.tahap not in frozen or (line.body.tahap, line.body.family) in awaited
    ]


async def _awaited(unit: Transaction, frozen: Collection[str]) -> set[tuple[str, str]]:
    """(tahap, family) of those who were deferred and whom no other list has taken up.

    Who was re-opened is not on the list that was frozen: their lines are kept beside it.
    """
    streams = {tahap: tahap_stream(tahap) for tahap in frozen}
    loaded = await unit.load(TAHAP, sorted(streams.values()))
    return {
        (tahap, family)
        for tahap, stream in streams.items()
        if stream in loaded
        for family in _deferred(loaded[stream].state)
    }


def _deferred(state: TahapState) -> set[str]:
    return set(state.outstanding) - {family for family, _ in state.awaited}


async def _commitment(unit: Transaction, messages: Sequence[Incoming]) -> None:
    lines = [m for m in messages if isinstance(m.body, CycleEvaluated)]
    taken = await _taken(unit, lines)
    await join_evaluations(unit, taken)
    await keep_late_evaluations(unit, [m for m in lines if m not in taken])
    effects = []
    for message in messages:
        body = message.body
        if isinstance(body, EvaluationClosed):
            await keep_proof(unit, body, message.envelope.position)
        elif not isinstance(body, CycleEvaluated):
            asked = asked_of_payments(body)
            effects += [((tahap, body.family), command) for tahap, command in asked]
    if effects:
        payments = await payments_of(unit, [place for place, _ in effects])
        await pay(unit, [(payments[place], command) for place, command in effects])


SUBSCRIPTIONS = (
    Subscription(
        SERVICE, ROSTER_TOPIC, {"FamilyListed": FamilyListed, "ListClosed": ListClosed}, _roster
    ),
    Subscription(
        SERVICE,
        COMMITMENT_TOPIC,
        {
            "CycleEvaluated": CycleEvaluated,
            "EvaluationClosed": EvaluationClosed,
            "Suspended": Suspended,
            "Released": Released,
            "Cleared": Cleared,
            "Terminated": Terminated,
        },
        _commitment,
    ),
)
