"""The domain that is measured: accounts with one event of the size of a usual roster line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from libs.events.bus.topics import Topics
from libs.events.domain.decider import Decider
from libs.events.store.model import Context, Message, StreamType

SERVICE: Final = "bench"
TOPIC: Final = "pkh.bench.account.v1"
TOPICS: Final = Topics("org.example", {TOPIC: 6}, {TOPIC: SERVICE})
CONTEXT: Final = Context(datetime(2023, 3, 31, tzinfo=UTC), SERVICE, f"00-{'a' * 32}-{'b' * 16}-01")
AMOUNT: Final = 225_000
NOTE: Final = "x" * 248  # makes it 415 bytes of JSON


@dataclass(frozen=True, slots=True)
class Record:
    family: str
    amount: int


@dataclass(frozen=True, slots=True)
class Recorded:
    family: str
    tahap: str
    region: str
    amount: int
    note: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Account:
    family: str = ""
    total: int = 0
    count: int = 0


def recorded(family: str, amount: int) -> Recorded:
    """The event, 415 bytes as JSON."""
    categories = ("EARLY_CHILD", "ELDERLY", "SMP", "SD")
    return Recorded(family, "2023-1", "61.03.01.2026", amount, NOTE, categories)


def _decide(command: Record, account: Account) -> list[Recorded]:
    return [recorded(command.family, command.amount + account.count)]


def _evolve(account: Account, event: Recorded) -> Account:
    return Account(event.family, account.total + event.amount, account.count + 1)


def _publish(event: Recorded, account: Account) -> Message:
    return Message(TOPIC, event.family)


ACCOUNT: Final[StreamType[Record, Account, Recorded]] = StreamType(
    "account",
    Decider(Account(), _decide, _evolve),
    {"Recorded": Recorded},
    _publish,
    snapshot=(Account, 1),
)

REPLAYED: Final = replace(ACCOUNT, name="replayed", snapshot=None)
"""The same without snapshots: every load replays."""


def commands_for(families: list[UUID]) -> list[tuple[str, Record]]:
    """One command for each family's account."""
    return [(f"account-{family}", Record(str(family), AMOUNT)) for family in families]
