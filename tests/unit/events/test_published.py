"""A kind of stream names its streams, and says which of its events go out and under what."""

from __future__ import annotations

from dataclasses import dataclass

from libs.events.store.model import AS_STORED, Message, published
from tests.purse import KEPT


@dataclass(frozen=True)
class Opened:
    owner: str


@dataclass(frozen=True)
class Counted:
    owner: str


@dataclass(frozen=True)
class Emptied:
    amount: int


PUBLISH = published(
    "coins", "owner", inside=(Counted,), otherwise={Emptied: lambda _, owner: Message("all", owner)}
)


def test_an_event_goes_out_as_it_is_stored_under_its_key() -> None:
    assert PUBLISH(Opened("ana"), None) == Message("coins", "ana", AS_STORED)


def test_an_event_that_stays_inside_goes_nowhere() -> None:
    assert PUBLISH(Counted("ana"), None) is None


def test_an_event_with_a_message_of_its_own_goes_out_as_that() -> None:
    assert PUBLISH(Emptied(3), "budi") == Message("all", "budi")


def test_a_stream_is_named_by_its_kind_and_what_names_it() -> None:
    assert KEPT.stream("ana") == "purse-ana"
    assert KEPT.stream("2023-1", "REGULAR") == "purse-2023-1-REGULAR"
