"""Answers of other services to what cases ask, each on its case; and which families are erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Handler, Subscription
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.complaints.contract import (
    CASE,
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    REMEDY,
    SERVICE,
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    FamilyErased,
    OrderAnswered,
)
from services.complaints.domain.erasing import EraseCase
from services.complaints.domain.remedy import (
    Command,
    NoteAnswer,
    NoteEnd,
    NotePause,
    NoteRefusal,
)
from services.complaints.tables.cases import cases_of, keep_cases


def take_answers(service: str) -> Handler:
    """Note each answer of a service on its case; one to nothing that was asked changes nothing."""

    async def take(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            body = message.body
            await handle(unit, REMEDY, REMEDY.stream(body.case), _command(body, service))

    return take


def _command(
    body: OrderAnswered | AppealPaused | AppealNotPaused | AppealDecisionRefused | AppealEnded,
    service: str,
) -> Command:
    match body:
        case OrderAnswered():
            return NoteAnswer(body.case, body.order, service, body.outcome, body.reason)
        case AppealPaused():
            return NotePause(body.case)
        case AppealNotPaused():
            return NotePause(body.case, body.reason)
        case AppealDecisionRefused():
            return NoteRefusal(body.case, body.decision, body.reason)
        case AppealEnded():
            return NoteEnd(body.case, body.outcome)


ANSWERS: Final = Subscription(
    SERVICE,
    COMMITMENT_TOPIC,
    {
        "OrderAnswered": OrderAnswered,
        "AppealPaused": AppealPaused,
        "AppealNotPaused": AppealNotPaused,
        "AppealDecisionRefused": AppealDecisionRefused,
        "AppealEnded": AppealEnded,
    },
    take_answers("conditionality"),
)


_take_answers_of_registry: Final = take_answers("registry")


async def take_families(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """Answers of registry, and erased families: nobody reads again what was said on their cases."""
    erased = {m.body.family for m in messages if isinstance(m.body, FamilyErased)}
    for case in await cases_of(unit, erased) if erased else ():
        outcome = await handle(unit, CASE, CASE.stream(case), EraseCase("FAMILY"))
        await keep_cases(unit, [outcome])
    answers = [m for m in messages if isinstance(m.body, OrderAnswered)]
    await _take_answers_of_registry(unit, answers)


OF_FAMILIES: Final = Subscription(
    SERVICE,
    FAMILY_TOPIC,
    {"OrderAnswered": OrderAnswered, "FamilyErased": FamilyErased},
    take_families,
)
SUBSCRIPTIONS: Final = (ANSWERS, OF_FAMILIES)
