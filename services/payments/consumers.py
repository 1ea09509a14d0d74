"""What payments takes from others: the roster, evaluations, and effects on held money."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.subscription import Incoming, Subscription
from libs.events.transaction import Transaction
from services.payments.contract import (
    COMMITMENT_TOPIC,
    ROSTER_TOPIC,
    SERVICE,
    Cleared,
    CycleEvaluated,
    EvaluationClosed,
    FamilyListed,
    ListClosed,
    Released,
    Suspended,
    Terminated,
    asked_of_payments,
)
from services.payments.lists import join_evaluations, join_roster, keep_proof
from services.payments.money import pay, payments_of


async def _roster(unit: Transaction, messages: Sequence[Incoming]) -> None:
    await join_roster(unit, [m for m in messages if isinstance(m.body, FamilyListed)])
    for message in messages:
        if isinstance(message.body, ListClosed):
            await keep_proof(unit, message.body)


async def _commitment(unit: Transaction, messages: Sequence[Incoming]) -> None:
    await join_evaluations(unit, [m for m in messages if isinstance(m.body, CycleEvaluated)])
    effects = []
    for message in messages:
        body = message.body
        if isinstance(body, EvaluationClosed):
            await keep_proof(unit, body)
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
