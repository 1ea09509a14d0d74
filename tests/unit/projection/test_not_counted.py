"""Why a member does not count for money, in both languages and without the other family."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.projection.explanation.messages import NotCounted
from tests.unit.projection.kit import entitled, steps, why

TOLD = {
    "INVALID_NIK": ("no valid NIK", "NIK yang sah"),
    "DUPLICATE_NIK": ("another family named", "keluarga lain lebih dahulu"),
    "ADJUDICATED": ("two people decided", "dua petugas memutuskan"),
    "OF_A_LATER_RELEASE": ("OF_A_LATER_RELEASE", "OF_A_LATER_RELEASE"),
}


@pytest.mark.parametrize("reason", TOLD)
def test_who_does_not_count_is_told_with_the_reason_and_adds_nothing(reason: str) -> None:
    shown = entitled()
    uncounted = replace(shown, body=replace(shown.body, not_counted=(NotCounted(4, reason),)))

    explained = why("PAID", uncounted)

    [step] = steps(explained, "NOT_COUNTED")
    assert (step.member, step.amount) == (4, None)
    english, indonesian = TOLD[reason]
    assert english in step.text.en
    assert indonesian in step.text.id
    assert explained.amount == shown.body.amount


def test_nothing_is_told_where_all_count() -> None:
    assert steps(why("PAID", entitled()), "NOT_COUNTED") == []
