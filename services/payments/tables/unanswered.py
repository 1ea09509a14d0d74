"""Lines of an account check that the treasury leaves without an answer, and what it says later.

Two people decide by them whether the run goes on without. A later word about a line that was let
go is kept to be shown, and moves nothing: its family waits for a supplementary run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from libs.events.store.transaction import Transaction
from services.payments.domain.run.deferral import UNANSWERED_MAX
from services.payments.domain.run.messages import UNANSWERED, DeferredLine

_CLOSED: Final = """
DELETE FROM unanswered_line WHERE tahap = $1 AND kind = $2 AND NOT payment = ANY($3::uuid[])
"""
_OPEN: Final = """
INSERT INTO unanswered_line (tahap, kind, payment) SELECT $1, $2, unnest($3::uuid[])
ON CONFLICT DO NOTHING
"""
_LATE: Final = """
UPDATE unanswered_line SET answer = $4 WHERE tahap = $1 AND kind = $2 AND payment = $3
"""
_STANDING: Final = """
SELECT payment::text, family::text, bank, amount FROM unanswered_line
JOIN run_line USING (tahap, kind, payment)
WHERE tahap = $1 AND kind = $2 AND deferred IS NULL ORDER BY unanswered_line.payment
"""


async def keep_unanswered(
    unit: Transaction, key: tuple[str, str], still_open: Collection[str], let_go: Collection[str]
) -> None:
    """Note which payments of a run (tahap, kind) have no answer, beside those that were let go.

    Of very many only so many that nobody can propose to go on without them.
    """
    shown = sorted(still_open)[: UNANSWERED_MAX + 1]
    await unit.connection.execute(_CLOSED, *key, [*shown, *let_go])
    await unit.connection.execute(_OPEN, *key, shown)


async def keep_late_answers(
    unit: Transaction, key: tuple[str, str], words: Mapping[str, str]
) -> None:
    """Keep the treasury's later words by payment; nothing follows from them."""
    await unit.connection.executemany(
        _LATE, [(*key, payment, word) for payment, word in sorted(words.items())]
    )


async def unanswered(unit: Transaction, key: tuple[str, str]) -> tuple[DeferredLine, ...]:
    """The lines of a run without an answer that are still in it, in order of payment."""
    rows = await unit.connection.fetch(_STANDING, *key)
    return tuple(
        DeferredLine(row["payment"], row["family"], row["bank"], row["amount"], UNANSWERED)
        for row in rows
    )
