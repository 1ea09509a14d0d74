"""Bars: as wide as their parts are large, and no part that is there goes unseen."""

from __future__ import annotations

from itertools import pairwise

import pytest

from console.charts import LEAST, WIDTH, Part, share, stacked


def parts(*amounts: int) -> list[Part]:
    return [Part(f"tone-{n}", f"name {n}", f"{amount}", amount) for n, amount in enumerate(amounts)]


@pytest.mark.parametrize("amounts", [(1,), (1, 1), (3, 2, 1), (10**15, 1), (1, 10**15, 1)])
def test_the_parts_fill_the_bar_without_a_gap(amounts: tuple[int, ...]) -> None:
    placed = stacked(parts(*amounts))

    assert placed[0].start == 0
    assert sum(each.width for each in placed) == WIDTH
    assert all(a.start + a.width == b.start for a, b in pairwise(placed))
    assert all(each.width >= LEAST for each in placed)


def test_an_empty_part_is_left_out_and_nothing_is_no_bar() -> None:
    assert [each.part.amount for each in stacked(parts(2, 0, 1))] == [2, 1]
    assert stacked(parts(0, 0)) == []


def test_a_share_is_never_more_than_all_of_it() -> None:
    assert (share(1, 4), share(5, 4), share(1, 0)) == (250, WIDTH, 0)
