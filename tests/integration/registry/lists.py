"""A register of 23 families with a small child each, and what must hold of its lists."""

from __future__ import annotations

from typing import Final

from libs.events.domain.list_proof import Buckets
from services.registry.contract import ROSTER_TOPIC
from tests.doors import Sent, deliver
from tests.integration.registry.kit import Register, child, family

CARDS: Final = tuple(f"61030101010100{number:02}" for number in range(1, 24))
CHUNK: Final = 5


def child_of(card: str) -> str:
    """The number of a family's child."""
    return f"61030117082000{card[-2:]}"


async def given_families(register: Register) -> None:
    """Take the families and their children in."""
    await register.take("families", *(family(card) for card in CARDS))
    await register.take("members", *(child(card, child_of(card)) for card in CARDS))


async def ask_again(register: Register, *buckets: str) -> None:
    """Consume payments' wish for some buckets of the first list."""
    body = {"tahap": "2023-1", "topic": ROSTER_TOPIC, "buckets": buckets, "attempt": 1}
    await deliver(register.consumer, register.tahaps.record("BucketRequested", "2023-1", body))


def lines_by_family(lines: list[Sent]) -> dict[str, bytes]:
    """Each family's line; no family has two."""
    found = {line.key: line.value for line in lines}
    assert len(found) == len(lines)
    return found


async def assert_closed_with_proof(register: Register, tahap: str = "2023-1") -> None:
    """The list is closed once, and its counts and buckets are those of its lines."""
    [closed] = [m for m in await register.closed() if m.body["tahap"] == tahap]
    lines = lines_by_family(await register.lines(tahap))
    assert closed.body["listed"] + closed.body["graduated"] == len(lines)
    assert Buckets.from_json(closed.body["buckets"]) == Buckets.of(lines.items())
