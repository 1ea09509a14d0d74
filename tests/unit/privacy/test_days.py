"""Days under a family's key: sealed at the edge, opened for many families at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import cast

import pytest

from libs.events.domain.personal import NEVER
from libs.privacy.days import Days, sealed_day
from libs.privacy.errors import KeyMissing, SealBroken
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import FamilyKey, Sealer

ANA, BUDI, CITRA = "ana", "budi", "citra"
KEYS = {
    ANA: FamilyKey(ANA, 1, {1: bytes(32)}),
    BUDI: FamilyKey(BUDI, 1, {1: bytes(range(32))}),
}
DAY = date(2016, 12, 17)


class Ring:
    """A ring of which one key is destroyed."""

    async def fetch_each(self, families: Iterable[str]) -> dict[str, FamilyKey]:
        keys = KEYS | {BUDI: FamilyKey(BUDI, 1, {})}
        return {family: keys[family] for family in families if family in keys}


DAYS = Days(cast(KeyRing, Ring()))


async def test_a_day_opens_for_the_family_that_it_was_sealed_for() -> None:
    sealed = sealed_day(Sealer(KEYS), ANA, DAY)

    opens_of = await DAYS.of([ANA])

    assert DAY.isoformat() not in sealed.stored
    assert opens_of(ANA)(sealed.stored) == DAY
    with pytest.raises(SealBroken):
        opens_of(ANA)(sealed_day(Sealer(KEYS), BUDI, DAY).stored)


async def test_a_day_of_a_destroyed_key_never_comes() -> None:
    opens_of = await DAYS.of([ANA, BUDI])

    assert opens_of(BUDI)(sealed_day(Sealer(KEYS), BUDI, DAY).stored) == NEVER


async def test_a_key_that_never_was_is_no_destroyed_one() -> None:
    opens_of = await DAYS.of([CITRA])

    with pytest.raises(KeyMissing):
        opens_of(CITRA)(sealed_day(Sealer(KEYS), ANA, DAY).stored)
