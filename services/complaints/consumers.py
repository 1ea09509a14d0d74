"""Answers of other services to what cases ask: each stands on its case."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Handler, Subscription
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.complaints.contract import (
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    REMEDY,
    SERVICE,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    OrderAnswered,
)
from services.complaints.domain.remedy import Command, NoteAnswer, NoteEnd, NotePause


def take_answers(service: str) -> Handler:
    """Note each answer of a service on its case; one to nothing that was asked changes nothing."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            body = message.body
            await handle(unit, REMEDY, REMEDY.stream(body.case), _command(body, service))

    return take


def _command(
    body: OrderAnswered | AppealPaused | AppealNotPaused | AppealEnded, service: str
) -> Command:
    match body:
        case OrderAnswered():
            return NoteAnswer(body.case, body.order, service, body.outcome, body.reason)
        case AppealPaused():
            return NotePause(body.case)
        case AppealNotPaused():
            return NotePause(body.case, body.reason)
        case AppealEnded():
            return NoteEnd(body.case, body.outcome)


SUBSCRIPTIONS = (
    Subscription(
        SERVICE,
        COMMITMENT_TOPIC,
        {
            "OrderAnswered": OrderAnswered,
            "AppealPaused": AppealPaused,
            "AppealNotPaused": AppealNotPaused,
            "AppealEnded": AppealEnded,
        },
        take_answers("conditionality"),
    ),
    Subscription(SERVICE, FAMILY_TOPIC, {"OrderAnswered": OrderAnswered}, take_answers("registry")),
)
