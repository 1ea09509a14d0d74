"""The differences of lists from the last frozen one, as far as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from libs.events.store.model import encode
from libs.events.store.transaction import Transaction
from services.payments.domain.list_diff import Difference

_KEEP: Final = """
INSERT INTO list_diff (tahap, kind, hash, shown) VALUES ($1, $2, $3, $4)
ON CONFLICT (tahap, kind) DO UPDATE SET hash = excluded.hash, shown = excluded.shown
"""


@dataclass(frozen=True, slots=True)
class ShownDiff:
    """The first families of each change, by id; and those whose money grows most."""

    families: tuple[Difference, ...] = ()
    largest: tuple[Difference, ...] = ()


async def keep_diff(unit: Transaction, tahap: str, kind: str, hash_: str, shown: ShownDiff) -> None:
    """Keep what people are shown of the differences of this hash."""
    await unit.connection.execute(_KEEP, tahap, kind, hash_, encode(shown).decode())


async def diff_shown(unit: Transaction, tahap: str, kind: str, hash_: str) -> ShownDiff:
    """The families that are shown of the differences of this hash."""
    shown = await unit.connection.fetchval(
        "SELECT shown FROM list_diff WHERE (tahap, kind, hash) = ($1, $2, $3)", tahap, kind, hash_
    )
    return msgspec.json.decode(shown, type=ShownDiff) if shown else ShownDiff()
