"""Days of births and pregnancies under a family's key: sealed at the edge, opened when read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.events.domain.personal import NEVER, Opens, PersonalDay
from libs.privacy.errors import KeyDestroyed
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer

_DAY: Final = "day"


def sealed_day(sealer: Sealer, family: str, day: date) -> PersonalDay:
    """A day of somebody's life, to be stored under the family's key."""
    return PersonalDay.of(day, sealer.seal(family, _DAY, day.isoformat()))


@dataclass(frozen=True, slots=True)
class Days:
    """Opens days of many families at once, by the keys of a ring."""

    keys: KeyRing

    async def of(self, families: Collection[str]) -> Callable[[str], Opens]:
        """The `Opens` of each family: `NEVER` comes out where its key is destroyed; raises as
        `Sealer.unseal` where it never had one, or another sealed them."""
        sealer = Sealer(await self.keys.fetch_each(families))

        def opens_of(family: str) -> Opens:
            def opens(stored: str) -> date:
                try:
                    return date.fromisoformat(sealer.unseal(family, _DAY, stored))
                except KeyDestroyed:
                    return NEVER

            return opens

        return opens_of
