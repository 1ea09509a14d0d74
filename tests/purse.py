"""A small domain for tests of the corridor: purses that take coins in and give them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.store.model import Context, Message, StreamType

TOPIC = "test.purse.v1"
CONTEXT = Context(datetime(2023, 3, 31, tzinfo=UTC), "tester")


class PurseTooLight(DomainError):
    """A purse gives out no more than it holds."""


@dataclass(frozen=True, slots=True)
class PutIn:
    coins: int


@dataclass(frozen=True, slots=True)
class TakeOut:
    coins: int


@dataclass(frozen=True, slots=True)
class CoinsPutIn:
    coins: int


@dataclass(frozen=True, slots=True)
class CoinsTakenOut:
    coins: int
    note: str = ""


Command: TypeAlias = PutIn | TakeOut
Event: TypeAlias = CoinsPutIn | CoinsTakenOut


@dataclass(frozen=True, slots=True)
class Purse:
    coins: int = 0
    moves: int = 0


def decide(command: Command, purse: Purse) -> list[Event]:
    match command:
        case PutIn(coins):
            return [CoinsPutIn(coins)] if coins else []
        case TakeOut(coins):
            if coins > purse.coins:
                raise PurseTooLight(coins=purse.coins)
            return [CoinsTakenOut(coins)]


def evolve(purse: Purse, event: Event) -> Purse:
    match event:
        case CoinsPutIn(coins):
            return Purse(purse.coins + coins, purse.moves + 1)
        case CoinsTakenOut(coins):
            return Purse(purse.coins - coins, purse.moves + 1)


def publish(event: Event, purse: Purse) -> Message | None:
    match event:
        case CoinsPutIn(coins):
            return Message(TOPIC, str(coins))
        case CoinsTakenOut():
            return None


PURSE: Decider[Command, Purse, Event] = Decider(Purse(), decide, evolve)
EVENTS: dict[str, type[Event]] = {"CoinsPutIn": CoinsPutIn, "CoinsTakenOut": CoinsTakenOut}
KEPT: StreamType[Command, Purse, Event] = StreamType(
    "purse", PURSE, EVENTS, publish, snapshot=(Purse, 1)
)
REPLAYED: StreamType[Command, Purse, Event] = StreamType("purse", PURSE, EVENTS, publish)
