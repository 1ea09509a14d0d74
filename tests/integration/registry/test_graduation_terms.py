"""A family without a category waits out its term before it graduates, on real lists."""

from __future__ import annotations

import pytest

from tests.doors import sent
from tests.integration.registry.kit import Register, life_event
from tests.integration.registry.lists import CARDS, assert_closed_with_proof, child_of
from tests.integration.registry.terms import with_term

CARD = CARDS[0]


@pytest.fixture
def waiting(given: Register) -> Register:
    """A register whose rules have a term of 100 days."""
    given.rule_sets = with_term(100)
    return given


async def child_dies(register: Register, on: str = "2023-05-02") -> None:
    row = life_event("DEATH", CARD, on, "2023-05-10", nik=child_of(CARD))
    await register.take("life-events", row)


async def test_a_family_waits_without_a_line_and_graduates_after_its_term(
    waiting: Register,
) -> None:
    await waiting.listed("2023-1")
    await child_dies(waiting)

    await waiting.listed("2023-2")
    await waiting.listed("2023-3")

    family = (await waiting.state_of(CARD)).family
    pending = await sent(waiting.store, "GraduationPending")
    assert [(m.key, m.body["tahap"], m.body["graduates_from"]) for m in pending] == [
        (family, "2023-2", "2023-10-08"),
        (family, "2023-3", "2023-10-08"),
    ]
    for tahap in ("2023-2", "2023-3"):
        assert family not in [line.key for line in await waiting.lines(tahap)]
        [closed] = [m.body for m in await waiting.closed() if m.body["tahap"] == tahap]
        figures = closed["listed"], closed["graduated"], closed["pending"]
        assert figures == (len(CARDS) - 1, 0, 1)
        await assert_closed_with_proof(waiting, tahap)


async def test_a_family_graduates_once_its_term_is_over(waiting: Register) -> None:
    waiting.rule_sets = with_term(92)  # from 30 June to 30 September
    await waiting.listed("2023-1")
    await child_dies(waiting)

    await waiting.listed("2023-2")
    await waiting.listed("2023-3")

    assert (await waiting.line_of(CARD, "2023-3")).body["outcome"] == "GRADUATED_NATURAL"
    assert len(await sent(waiting.store, "FamilyGraduated")) == 1
