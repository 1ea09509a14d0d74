from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

import httpx
import pytest

from cli.client.http import Connected
from cli.client.waiting import is_settled, until_quiet, while_it_moves
from cli.errors import Failed
from libs.events.store.watermarks import Positions
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY = "pkh.registry.family.v2"
ROSTER = "pkh.registry.roster.v1"

REGISTRY = Positions("e", 40, 40, {FAMILY: {0: 38}, ROSTER: {0: 40, 1: 39}}, {}, 0)
CONDITIONALITY = Positions("e", 20, 20, {}, {ROSTER: {0: 40, 1: 39}}, 0)
PROJECTION = Positions("e", 0, 0, {}, {FAMILY: {0: 38}}, 0)
SETTLED = {"registry": REGISTRY, "conditionality": CONDITIONALITY, "projection": PROJECTION}


def seeing(values: Iterable[Any]) -> Callable[[], Awaitable[Any]]:
    """Shows one value after the other, the last one for ever."""
    left = list(values)

    async def look() -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    return look


async def test_what_is_done_at_the_first_look_is_not_looked_at_again() -> None:
    assert await while_it_moves(seeing([1, 2]), lambda seen: seen == 1, str) == 1


async def test_it_waits_for_as_long_as_something_moves() -> None:
    assert await while_it_moves(seeing(range(5)), lambda seen: seen == 4, str, 0.2) == 4


async def test_it_gives_up_where_nothing_moves_and_says_what_it_saw() -> None:
    with pytest.raises(Failed, match="Nothing has moved for 0 s: at step 7"):
        await while_it_moves(seeing([7]), lambda _: False, lambda seen: f"at step {seen}", 0.1)


def test_a_platform_is_settled_when_everything_was_relayed_and_read() -> None:
    assert is_settled(SETTLED)


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("registry", replace(REGISTRY, relayed=39)),
        ("conditionality", replace(CONDITIONALITY, consumed={ROSTER: {0: 40, 1: 38}})),
        ("conditionality", replace(CONDITIONALITY, consumed={ROSTER: {0: 40}})),
        ("projection", replace(PROJECTION, consumed={})),
    ],
    ids=["not relayed", "behind in a partition", "a partition not begun", "a topic not begun"],
)
def test_a_platform_is_not_settled_while_somebody_is_behind(name: str, behind: Positions) -> None:
    assert not is_settled(SETTLED | {name: behind})


async def test_quiet_is_when_two_looks_in_a_row_show_the_same(
    platform: Connected, fake: FakePlatform
) -> None:
    heads = iter((41, 42, 42, 42))

    def registry(_request: httpx.Request) -> httpx.Response:
        head = next(heads)
        return answer(asdict(replace(REGISTRY, head=head, relayed=head)))

    fake.when("GET", "registry/positions", registry)
    fake.when("GET", "projection/positions", answer(asdict(PROJECTION)))

    found = await until_quiet(platform.client("o", "platform:read"), ["registry", "projection"])

    assert found["registry"].head == 42
    assert next(heads) == 42
