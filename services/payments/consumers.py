"""Messages that payments takes from others: the roster, evaluations, and effects on held money."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.store.transaction import Transaction
from services.payments.contract import (
    COMMITMENT_TOPIC,
    ROSTER_TOPIC,
    SERVICE,
    TAHAP,
    ErasureApproved,
    FamiliesWithheld,
    FamilyListed,
    ListClosed,
)
from services.payments.contract.commitment import (
    AppealEnded,
    AppealPaused,
    Cleared,
    CycleEvaluated,
    CycleWithdrawn,
    EvaluationClosed,
    Released,
    Suspended,
    Terminated,
    asked_of_payments,
)
from services.payments.domain.payment.messages import (
    ClearHold,
    CorrectCut,
    Return,
    ReturnReason,
)
from services.payments.domain.payment.messages import Command as PaymentCommand
from services.payments.domain.shared.ids import payment_id
from services.payments.domain.tahap.state import TahapState
from services.payments.tables.appeals import keep_appeals
from services.payments.tables.arrears import cut_on_frozen_lists
from services.payments.tables.erased_families import stop
from services.payments.tables.late_lines import keep_late_evaluations, take_late_lines
from services.payments.tables.list_lines import join_evaluations, join_roster
from services.payments.tables.open_lists import keep_proof, keep_withheld, still_open
from services.payments.tables.payments import pay, payments_of

NO_EFFECT = (CycleEvaluated, EvaluationClosed, AppealPaused, AppealEnded)
"""The messages of conditionality that ask no payment for anything."""


async def _roster(unit: Transaction, messages: Sequence[Incoming]) -> None:
    erased = [m.body.family for m in messages if isinstance(m.body, ErasureApproved)]
    if erased:
        await stop(unit, erased)
    lines = await _standing(unit, [m for m in messages if isinstance(m.body, FamilyListed)])
    await join_roster(unit, await _taken(unit, [m for m in lines if not m.body.reopening]))
    await take_late_lines(unit, [m for m in lines if m.body.reopening])
    withheld = [m for m in messages if isinstance(m.body, FamiliesWithheld)]
    for message in await _standing(unit, withheld):
        await keep_withheld(unit, message.body)
    closed = [m for m in messages if isinstance(m.body, ListClosed)]
    for message in await _standing(unit, closed):
        await keep_proof(unit, message.body, message.envelope.position)


async def _taken(unit: Transaction, lines: Sequence[Incoming]) -> Sequence[Incoming]:
    """The lines that may still change a list: all of an open one; of a frozen one those of
    families that were deferred and that no other list has taken up."""
    tahaps = {line.body.tahap for line in lines}
    frozen = tahaps - (await still_open(unit, tahaps)).keys()
    if not frozen:
        return lines
    awaited = await _awaited(unit, frozen)
    met = {line.body.tahap for line in lines if (line.body.tahap, line.body.family) in awaited}
    if met:
        # Whoever opens a list of them waits for us now, or has opened it before we look again.
        await unit.hold(sorted(TAHAP.stream(tahap) for tahap in met))
        awaited = await _awaited(unit, frozen)
    return [
        line
        for line in lines
        if line.body.tahap not in frozen or (line.body.tahap, line.body.family) in awaited
    ]


async def _standing(unit: Transaction, messages: Sequence[Incoming]) -> Sequence[Incoming]:
    """The messages that rest on an announcement that stands; those of a cancelled one are void."""
    tahaps = {message.body.tahap for message in messages}
    if not tahaps:
        return messages
    revisions = await still_open(unit, tahaps)
    streams = sorted(TAHAP.stream(tahap) for tahap in tahaps - revisions.keys())
    for loaded in (await unit.load(TAHAP, streams)).values():
        # Its list is frozen, which no cancellation goes behind, or it is cancelled.
        if loaded.state.announced is not None:
            revisions[loaded.state.tahap] = loaded.state.revision
    return [
        message
        for message in messages
        if message.body.tahap in revisions
        and _revision(message.body) >= revisions[message.body.tahap]
    ]


def _revision(
    body: FamilyListed | FamiliesWithheld | ListClosed | CycleEvaluated | EvaluationClosed,
) -> int:
    """The announcement of its tahap that a message rests on, by its revision."""
    if isinstance(body, CycleEvaluated | EvaluationClosed):
        return body.roster_revision
    return body.revision


async def _awaited(unit: Transaction, frozen: Collection[str]) -> set[tuple[str, str]]:
    """(tahap, family) of those who were deferred and whom no other list has taken up.

    Who was re-opened is not on the list that was frozen: their lines are kept beside it.
    """
    streams = {tahap: TAHAP.stream(tahap) for tahap in frozen}
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
    lines = await _standing(unit, [m for m in messages if isinstance(m.body, CycleEvaluated)])
    taken = await _taken(unit, lines)
    await join_evaluations(unit, taken)
    late = [m for m in lines if m not in taken]
    await keep_late_evaluations(unit, late)
    closed = [m for m in messages if isinstance(m.body, EvaluationClosed)]
    for message in await _standing(unit, closed):
        await keep_proof(unit, message.body, message.envelope.position)
    effects: list[tuple[tuple[str, str], PaymentCommand]] = [
        ((body.tahap, body.family), CorrectCut(body.cut_percent, body.revision, body.case))
        for body in await cut_on_frozen_lists(unit, [m.body for m in late])
    ]
    for message in messages:
        body = message.body
        if not isinstance(body, NO_EFFECT):
            asked = asked_of_payments(body)
            effects += [((tahap, body.family), command) for tahap, command in asked]
    await _effects(unit, effects)
    await _appeals(unit, [message.body for message in messages])


async def _appeals(unit: Transaction, bodies: Sequence[object]) -> None:
    opened = [(b.family, b.case) for b in bodies if isinstance(b, AppealPaused)]
    ended = [(b.family, b.case) for b in bodies if isinstance(b, AppealEnded)]
    if not opened and not ended:
        return
    due = await keep_appeals(unit, opened, ended)
    graduated = ReturnReason.GRADUATED_NATURAL
    back = [(payment_id(tahap, who, kind), Return(at, graduated)) for who, at, tahap, kind in due]
    await pay(unit, back)


async def _effects(
    unit: Transaction, effects: Sequence[tuple[tuple[str, str], PaymentCommand]]
) -> None:
    if effects:
        payments = await payments_of(unit, [cycle for cycle, _ in effects])
        commands: list[tuple[str, PaymentCommand]] = [
            (payments[cycle], command) for cycle, command in effects
        ]
        # A deferred payment is held as well as the one in its place: a cycle that is withdrawn
        # holds neither, because the next announcement may pay by either.
        commands += [
            (payment_id(*cycle), command)
            for cycle, command in effects
            if isinstance(command, ClearHold)
        ]
        await pay(unit, list(dict.fromkeys(commands)))


SUBSCRIPTIONS = (
    Subscription(
        SERVICE,
        ROSTER_TOPIC,
        {
            "FamilyListed": FamilyListed,
            "FamiliesWithheld": FamiliesWithheld,
            "ListClosed": ListClosed,
            "ErasureApproved": ErasureApproved,
        },
        _roster,
    ),
    Subscription(
        SERVICE,
        COMMITMENT_TOPIC,
        {
            "CycleEvaluated": CycleEvaluated,
            "EvaluationClosed": EvaluationClosed,
            "CycleWithdrawn": CycleWithdrawn,
            "Suspended": Suspended,
            "Released": Released,
            "Cleared": Cleared,
            "Terminated": Terminated,
            "AppealPaused": AppealPaused,
            "AppealEnded": AppealEnded,
        },
        _commitment,
    ),
)
