"""Sessions and marks as rows, beside their streams and in the transaction of their events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from libs.chassis.regions import region_ranges
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.p2k2.domain.curriculum import Lesson
from services.p2k2.domain.session import (
    AttendanceRecorded,
    Event,
    FamiliesCheckedIn,
    Session,
    SessionNoted,
    SessionSupervised,
    Sitting,
)

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

_KEEP: Final = """
INSERT INTO session (session, group_id, region, facilitator, held_on, starts_at, module, number,
                     sessions, rank, standing)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::text[],
                     $7::text[], $8::int[], $9::int[], $10::int[], $11::text[])
ON CONFLICT (session) DO UPDATE
SET facilitator = excluded.facilitator, held_on = excluded.held_on,
    starts_at = excluded.starts_at, module = excluded.module, number = excluded.number,
    sessions = excluded.sessions, rank = excluded.rank, standing = excluded.standing
"""
_MARK: Final = """
INSERT INTO attendance (session, family, status)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
ON CONFLICT (session, family) DO UPDATE SET status = excluded.status
"""
_INSIDE: Final = (FamiliesCheckedIn, SessionNoted, SessionSupervised)
"""Events after which a session's row is the same."""
_COLUMNS: Final = """session, group_id, region, facilitator, held_on, starts_at, module, number,
       sessions, rank, standing"""
_NUMBERED: Final = f"SELECT {_COLUMNS} FROM session WHERE session = ANY($1)"  # noqa: S608 - of texts that stand here
_STANDING: Final = f"""
SELECT {_COLUMNS} FROM session
WHERE group_id = ANY($1) AND held_on = ANY($2) AND standing <> 'CANCELLED'
"""  # noqa: S608 - of texts that stand here
_LISTED: Final = f"""
SELECT {_COLUMNS} FROM session
WHERE EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
              WHERE region >= low AND region < high)
  AND ($3::text IS NULL OR group_id = $3) AND ($4::text IS NULL OR facilitator = $4)
  AND ($5::text IS NULL OR EXISTS (
      SELECT FROM study_group AS own
      WHERE own.group_id = session.group_id AND own.facilitator = $5))
  AND ($6::text IS NULL OR session > $6)
ORDER BY session LIMIT $7
"""  # noqa: S608 - of texts that stand here


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it stands."""

    session: str
    standing: str
    sitting: Sitting


async def keep_sessions(unit: Transaction, outcomes: Iterable[Outcome[Session, Event]]) -> None:
    """Keep how moved sessions stand, and their new marks."""
    rows: dict[str, tuple[Any, ...]] = {}
    marks: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        state, sitting = outcome.state, outcome.state.sitting
        for event in outcome.events:
            if isinstance(event, AttendanceRecorded):
                marks |= {(event.session, mark.family): mark.status for mark in event.marks}
            elif not isinstance(event, _INSIDE) and sitting is not None:
                rows[state.session] = (
                    state.session,
                    sitting.group,
                    sitting.region,
                    sitting.facilitator,
                    sitting.on,
                    sitting.starts_at,
                    sitting.lesson.module,
                    sitting.lesson.number,
                    sitting.lesson.sessions,
                    sitting.lesson.rank,
                    state.standing,
                )
    if rows:
        await unit.connection.execute(_KEEP, *map(list, zip(*rows.values(), strict=True)))
    if marks:
        marked = [(*key, status) for key, status in marks.items()]
        await unit.connection.execute(_MARK, *map(list, zip(*marked, strict=True)))


async def sessions_numbered(
    connection: Connection, numbers: Collection[str]
) -> dict[str, SessionRow]:
    """The sessions of these numbers."""
    rows = await connection.fetch(_NUMBERED, list(numbers))
    return {row["session"]: _row(row) for row in rows}


async def sessions_of_days(
    connection: Connection, groups: Collection[str], days: Collection[date]
) -> list[SessionRow]:
    """The sessions of these groups on these days that were not cancelled."""
    return [_row(row) for row in await connection.fetch(_STANDING, list(groups), list(days))]


@dataclass(frozen=True, slots=True)
class SessionsWanted:
    """Filters of sessions; None is any. `own` is the facilitator whose groups they are of today."""

    regions: tuple[str, ...]
    group: str | None
    facilitator: str | None
    own: str | None = None


async def sessions(
    store: Store, wanted: SessionsWanted, after: str | None, limit: int
) -> list[SessionRow]:
    """Sessions of groups in these regions, in order of their numbers."""
    ranges = region_ranges(wanted.regions)
    filters = wanted.group, wanted.facilitator, wanted.own
    rows = await store.pool.fetch(_LISTED, *ranges, *filters, after, limit)
    return [_row(row) for row in rows]


def _row(row: Any) -> SessionRow:
    lesson = Lesson(row["module"], row["number"], row["sessions"], row["rank"])
    sitting = Sitting(
        row["group_id"],
        row["region"],
        row["facilitator"],
        row["held_on"],
        row["starts_at"],
        "",
        lesson,
    )
    return SessionRow(row["session"], row["standing"], sitting)


def others_of(sessions: Sequence[SessionRow], number: str) -> list[Sitting]:
    """The sittings of all these sessions but one."""
    return [row.sitting for row in sessions if row.session != number]
