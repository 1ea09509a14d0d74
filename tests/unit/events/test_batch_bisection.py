"""All that can be handled of a batch is, once and in order; the rest is told apart quickly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import log2
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from libs.events.bus import Record, batched
from libs.events.bus.envelope import Envelope, headers_of, parse_all, type_prefix
from libs.events.bus.incoming import Incoming
from libs.events.consumer.batch_bisection import BEHIND, sift
from libs.events.consumer.subscription import Subscription, messages_in, wanted_of
from libs.events.domain.errors import UnknownEvent
from libs.events.store.transaction import Transaction
from tests.purse import CoinsPutIn, CoinsTakenOut

AT = datetime(2023, 3, 31, tzinfo=UTC)
UNDECODABLE = b"{"
TOPIC = "pkh.test.purse.v1"


@dataclass
class Ledger:
    """Stands for a transaction: what is done in a savepoint that fails is undone."""

    done: list[int] = field(default_factory=list)
    attempts: int = 0

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        before, self.attempts = len(self.done), self.attempts + 1
        try:
            yield
        except BaseException:
            del self.done[before:]
            raise


def message(position: int, key: str, value: bytes = b'{"coins": 1}') -> Record:
    envelope = Envelope(
        str(position), "writer", "CoinsPutIn", 1, key, AT, position, position - 1, "epoch", None
    )
    headers = headers_of(envelope, type_prefix("org.example", TOPIC))
    return Record(TOPIC, 0, key.encode(), value, headers, position)


async def sifted(
    ledger: Ledger,
    arrived: Sequence[Record],
    unfit: frozenset[int] = frozenset(),
    held: frozenset[str] = frozenset(),
    error: Exception | None = None,
) -> dict[int, str]:
    async def handler(transaction: Transaction, messages: Sequence[Incoming]) -> None:
        for each in messages:
            if each.envelope.position in unfit:
                raise error or ValueError("unfit")
            ledger.done.append(each.envelope.position)

    subscription = Subscription("test", TOPIC, {"CoinsPutIn": CoinsPutIn}, handler)
    messages = [
        message
        for batch in batched(TOPIC, 0, arrived)
        for message in messages_in(subscription, batch, parse_all(batch), range(len(batch)))
    ]
    return await sift(cast(Transaction, ledger), subscription, messages, held)


def one_by_one(
    arrived: Sequence[Record], unfit: frozenset[int], held: frozenset[str]
) -> tuple[list[int], list[int]]:
    """The positions done and not done where each message is handled by itself."""
    done: list[int] = []
    refused: list[int] = []
    halted = set(held)
    for record in arrived:
        position, key = record.offset, (record.key or b"").decode()
        if record.value == UNDECODABLE or position in unfit:
            halted.add(key)
        (refused if key in halted else done).append(position)
    return done, refused


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("fffffux")), max_size=40),
    st.frozensets(st.sampled_from("abcdefgh"), max_size=2),
)
async def test_it_comes_to_the_same_as_one_by_one(
    keyed: list[tuple[str, str]], held: frozenset[str]
) -> None:
    arrived = [
        message(position, key, UNDECODABLE if kind == "x" else b'{"coins": 1}')
        for position, (key, kind) in enumerate(keyed, start=1)
    ]
    unfit = frozenset(n for n, (_, kind) in enumerate(keyed, start=1) if kind == "u")
    ledger = Ledger()

    refused = await sifted(ledger, arrived, unfit, held)

    assert (ledger.done, sorted(refused)) == one_by_one(arrived, unfit, held)


async def test_a_batch_that_is_fit_is_handled_at_once() -> None:
    ledger = Ledger()
    assert await sifted(ledger, [message(n, str(n)) for n in range(1, 501)]) == {}
    assert ledger.attempts == 1


async def test_few_unfit_messages_are_told_apart_in_few_attempts() -> None:
    unfit = frozenset({7, 150, 151, 333, 500})
    ledger = Ledger()

    refused = await sifted(ledger, [message(n, str(n)) for n in range(1, 501)], unfit)

    assert refused.keys() == unfit
    assert ledger.attempts <= 2 * len(unfit) * log2(500)


async def test_what_comes_later_in_a_key_says_that_it_waits() -> None:
    arrived = [message(1, "a"), message(2, "b"), message(3, "a"), message(4, "held")]
    refused = await sifted(Ledger(), arrived, frozenset({1}), frozenset({"held"}))
    assert refused == {1: "ValueError", 3: BEHIND, 4: BEHIND}


async def test_an_undecodable_message_costs_no_attempt() -> None:
    ledger = Ledger()
    arrived = [message(1, "a"), message(2, "b", UNDECODABLE), message(3, "c")]
    assert await sifted(ledger, arrived) == {2: "DecodeError"}
    assert ledger.attempts == 1


@pytest.mark.parametrize("error", [OSError("away"), TimeoutError(), UnknownEvent(type="New")])
async def test_what_is_no_message_s_own_fault_is_raised_and_nothing_refused(
    error: Exception,
) -> None:
    ledger = Ledger()
    arrived = [message(n, str(n)) for n in range(1, 9)]
    with pytest.raises(type(error)):
        await sifted(ledger, arrived, frozenset({5}), error=error)
    assert ledger.done == []


@pytest.mark.parametrize(
    ("key", "text"),
    [(None, ""), ("andré".encode(), "andré")],
    ids=["none", "text"],
)
def test_a_key_is_told_as_text(key: bytes | None, text: str) -> None:
    subscription = Subscription("test", TOPIC, {"CoinsPutIn": CoinsPutIn}, _nothing)
    [batch] = batched(TOPIC, 0, [replace(message(1, "a"), key=key)])
    [found] = messages_in(subscription, batch, parse_all(batch), [0])
    assert found.key == text


def test_a_type_that_nobody_named_is_read_as_the_others_are() -> None:
    [batch] = batched(TOPIC, 0, [message(1, "a"), message(2, "b")])
    named = Subscription("test", TOPIC, {"CoinsTakenOut": CoinsTakenOut}, _nothing)
    every = Subscription("test", TOPIC, {}, _nothing, others=CoinsPutIn)

    assert list(wanted_of(named, batch, parse_all(batch), [0, 1])) == []
    assert list(wanted_of(every, batch, parse_all(batch), [0, 1])) == [0, 1]
    found = messages_in(every, batch, parse_all(batch), [0, 1])
    assert [type(each.body) for each in found] == [CoinsPutIn, CoinsPutIn]


async def _nothing(transaction: Transaction, messages: Sequence[Incoming]) -> None:
    """Handles all."""
