"""Marks of families at group sessions, and what each month of a family comes to by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.store.transaction import Transaction
from services.conditionality.contract import AttendanceRecorded, SessionCancelled, SessionCorrected

_MARK: Final = """
INSERT INTO meeting_mark (session, family, month, status) VALUES ($1, $2, $3, $4)
ON CONFLICT (session, family) DO UPDATE SET month = $3, status = $4
"""
_MOVE: Final = """
UPDATE meeting_mark SET month = $2 FROM meeting_mark AS before
WHERE meeting_mark.session = $1 AND before.session = meeting_mark.session
  AND before.family = meeting_mark.family
RETURNING meeting_mark.family::text, before.month
"""
_CANCEL: Final = "DELETE FROM meeting_mark WHERE session = $1 RETURNING family::text, month"
_MONTHS: Final = """
SELECT u.family::text, u.month, bool_or(status = 'H') AS present, bool_or(status = 'A') AS absent
FROM unnest($1::uuid[], $2::text[]) AS u (family, month)
LEFT JOIN meeting_mark AS mark ON mark.family = u.family AND mark.month = u.month
GROUP BY 1, 2 ORDER BY 1, 2
"""


async def keep_marks(
    unit: Transaction, bodies: Sequence[AttendanceRecorded | SessionCorrected | SessionCancelled]
) -> list[tuple[str, str, bool | None]]:
    """Keep what sessions say; answers (family, month, whether the payee came) of what it touches.

    None is of a month in which they were excused, or of which nothing is left.
    """
    touched: set[tuple[str, str]] = set()
    for body in bodies:
        match body:
            case AttendanceRecorded():
                month = f"{body.on:%Y-%m}"
                rows = [(body.session, mark.family, month, mark.status) for mark in body.marks]
                await unit.connection.executemany(_MARK, rows)
                touched |= {(mark.family, month) for mark in body.marks}
            case SessionCorrected():
                month = f"{body.on:%Y-%m}"
                moved = await unit.connection.fetch(_MOVE, body.session, month)
                touched |= {(row[0], name) for row in moved for name in (row[1], month)}
            case SessionCancelled():
                gone = await unit.connection.fetch(_CANCEL, body.session)
                touched |= {(row[0], row[1]) for row in gone}
    families, months = [family for family, _ in touched], [month for _, month in touched]
    found = await unit.connection.fetch(_MONTHS, families, months)
    return [(row[0], row[1], True if row[2] else False if row[3] else None) for row in found]
