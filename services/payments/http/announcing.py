"""Context of an announcement: the tahaps that stand, and what each service answers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final

from libs.chassis.problems import Refusal
from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.payments.contract import ANNOUNCED_TO, SERVICE, TAHAP
from services.payments.domain.tahap.messages import OtherTahap, ServiceAnswer
from services.payments.domain.tahap.state import TahapState
from services.payments.partners.client import Outside
from services.payments.policy import Policies

# Announcements are decided one after another: two at once would each miss the other's months.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('payments:announcing', 0))"
# Open lists of which nothing has come.
_NOTHING_CAME: Final = """
SELECT tahap FROM list_open
WHERE NOT EXISTS (SELECT FROM list_line WHERE list_line.tahap = list_open.tahap)
  AND NOT EXISTS (SELECT FROM list_proof WHERE list_proof.tahap = list_open.tahap)
"""
RETRY_AFTER_S: Final = 1


async def answers(outside: Outside, policies: Policies, store: Store) -> tuple[ServiceAnswer, ...]:
    """Every service's answer, payments' own included; a 503 `Refusal` where one is silent.

    Asked before the transaction that decides, which waits for no network.
    """
    asked = await asyncio.gather(*map(outside.answer_of, ANNOUNCED_TO), return_exceptions=True)
    found = []
    for service, answer in zip(ANNOUNCED_TO, asked, strict=True):
        if isinstance(answer, CorridorError):
            raise _silent(service)
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
    head, _ = await store.head()
    own = {rules.id: None if rules.runs else rules.reason or "" for rules in policies.listed}
    return (*found, ServiceAnswer(SERVICE, head, own))


async def heads(outside: Outside) -> dict[str, int | None]:
    """The position of each service's log now; None of one that does not answer."""
    asked = await asyncio.gather(*map(outside.answer_of, ANNOUNCED_TO), return_exceptions=True)
    return {
        service: answer.head if isinstance(answer, ServiceAnswer) else None
        for service, answer in zip(ANNOUNCED_TO, asked, strict=True)
    }


def _silent(service: str) -> Refusal:
    return Refusal(
        503,
        "service-silent",
        f"{service} does not answer, and nothing is announced to a service that cannot be asked.",
        {"Retry-After": str(RETRY_AFTER_S)},
        {"service": service},
    )


async def alone(unit: Transaction) -> None:
    """Nobody else announces or cancels a tahap until we commit."""
    await unit.connection.execute(_ONE_AT_A_TIME)


async def other_tahaps(unit: Transaction, tahap: str) -> tuple[OtherTahap, ...]:
    """The other tahaps that are announced or proposed; they stay so until we commit."""
    await alone(unit)
    names = [name for name in await unit.names_of("tahap") if name != tahap]
    others = await unit.load(TAHAP, [TAHAP.stream(name) for name in names])
    empty = {row["tahap"] for row in await unit.connection.fetch(_NOTHING_CAME)}
    return tuple(
        OtherTahap(terms.tahap, terms.months, waits=_waits(loaded.state, empty))
        for _, loaded in sorted(others.items())
        if (terms := loaded.state.terms) is not None
    )


def _waits(state: TahapState, empty: Collection[str]) -> bool:
    """True where a tahap is announced, nothing of its list is here, and nobody decides on it."""
    return state.announced is not None and state.proposal is None and state.tahap in empty
