"""Families that the registry re-opened behind a frozen list: their lines and evaluations.

They stand in a table of their own, so that no line of a list that people approved ever changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.bus.incoming import Incoming
from libs.events.domain.list_proof import value_hash
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import TAHAP
from services.payments.domain.tahap.messages import AwaitFamily

_LINE: Final = "SELECT keep_late_line($1, $2, $3, $4, $5, $6)"
_EVALUATED: Final = """
INSERT INTO late_line (tahap, family, evaluated, cut_percent) VALUES ($1, $2, $3, $4)
ON CONFLICT (tahap, family) DO UPDATE SET evaluated = $3, cut_percent = $4
WHERE late_line.evaluated IS NULL OR late_line.evaluated < $3
"""
_LISTED: Final = """
SELECT EXISTS (SELECT FROM list_line WHERE tahap = $1 AND family = $2 AND outcome = 'LISTED')
"""
_WITH_A_LINE: Final = """
SELECT tahap, family::text FROM list_line
JOIN unnest($1::text[], $2::uuid[]) AS u (tahap, family) USING (tahap, family)
WHERE outcome = 'LISTED'
"""


async def take_late_lines(unit: Transaction, lines: Sequence[Incoming]) -> None:
    """Let each re-opened family wait for a supplementary run, and keep by which line.

    Raises `AlreadyListed` where the tahap pays the family by another line.
    """
    for message in lines:
        body = message.body
        listed = await unit.connection.fetchval(_LISTED, body.tahap, body.family)
        command = AwaitFamily(body.family, body.reopening, listed)
        awaited = await handle(unit, TAHAP, TAHAP.stream(body.tahap), command)
        if awaited.events:
            figures = body.revision, body.outcome, value_hash(message.value)
            row = body.tahap, body.family, *figures, message.value.decode()
            await unit.connection.execute(_LINE, *row)


async def keep_late_evaluations(unit: Transaction, late: Sequence[Incoming]) -> None:
    """Keep those evaluations of a frozen list's tahap whose family has no line by which it is paid.

    The registry's message and conditionality's come on two topics, in either order.
    """
    if not late:
        return
    rows = await unit.connection.fetch(
        _WITH_A_LINE, [m.body.tahap for m in late], [m.body.family for m in late]
    )
    places = {(row["tahap"], row["family"]) for row in rows} | await _taken_up(unit, late)
    await unit.connection.executemany(
        _EVALUATED,
        [
            (m.body.tahap, m.body.family, m.body.revision, m.body.cut_percent)
            for m in late
            if (m.body.tahap, m.body.family) not in places
        ],
    )


async def _taken_up(unit: Transaction, late: Sequence[Incoming]) -> set[tuple[str, str]]:
    """(tahap, family) on a supplementary list that people may have approved, until we commit."""
    streams = sorted({TAHAP.stream(message.body.tahap) for message in late})
    # Whoever opens a list waits for us now, or has opened it before we look.
    await unit.hold(streams)
    loaded = await unit.load(TAHAP, streams)
    return {
        (found.state.tahap, family)
        for found in loaded.values()
        for paid in found.state.lists
        for family in set(paid.families) - set(found.state.outstanding)
    }
