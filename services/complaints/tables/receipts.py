"""Receipt numbers, and guesses of PINs, of whatever number they are."""

from __future__ import annotations

from typing import Final

from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

# A guess is counted before it is looked at, so that of many at once none is free.
_GUESS: Final = """
INSERT INTO pin_guess AS g (receipt, guesses) VALUES ($1, 1)
ON CONFLICT (receipt) DO UPDATE
SET guesses = CASE WHEN g.since < now() - make_interval(hours => $2) THEN 1 ELSE g.guesses + 1 END,
    since = CASE WHEN g.since < now() - make_interval(hours => $2) THEN now() ELSE g.since END
RETURNING guesses
"""
_FORGET: Final = """
DELETE FROM pin_guess WHERE receipt IN (
    SELECT receipt FROM pin_guess WHERE since < now() - make_interval(hours => $1)
    ORDER BY since LIMIT 10)
"""


async def keep_receipt(unit: Transaction, receipt: str, case: str) -> None:
    """Keep the number by which a person asks for a case."""
    await unit.connection.execute("INSERT INTO receipt VALUES ($1, $2)", receipt, case)


async def case_of_receipt(store: Store, receipt: str) -> str | None:
    """The case of a number."""
    found: str | None = await store.pool.fetchval(
        "SELECT case_id::text FROM receipt WHERE receipt = $1", receipt
    )
    return found


async def guessed(store: Store, receipt: str, hours: int) -> int:
    """Count a guess at a number; how many there were in so many hours, and with it."""
    await store.pool.execute(_FORGET, hours)
    count: int = await store.pool.fetchval(_GUESS, receipt, hours)
    return count


async def guessed_right(store: Store, receipt: str) -> None:
    """Forget the guesses at a number."""
    await store.pool.execute("DELETE FROM pin_guess WHERE receipt = $1", receipt)
