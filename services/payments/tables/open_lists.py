"""An open list: what has come of it, against what its owners say, and if it has moved since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from libs.events.bus import Record
from libs.events.bus.envelope import parse
from libs.events.consumer.parking import parked_records
from libs.events.domain.list_proof import Buckets
from libs.events.store.model import encode
from libs.events.store.transaction import Transaction
from services.payments.contract import (
    COMMITMENT_TOPIC,
    ROSTER_TOPIC,
    SERVICE,
    FamiliesWithheld,
    ListClosed,
)
from services.payments.contract.commitment import EvaluationClosed
from services.payments.domain.tahap.decider import DEFERRED_FAMILIES_MAX
from services.payments.domain.tahap.messages import Deferral
from services.payments.tables.holds import held_on_list

TOPICS: Final = (ROSTER_TOPIC, COMMITMENT_TOPIC)

_PROOF = """
INSERT INTO list_proof
    (tahap, topic, revision, lines, parked, buckets, graduated, pending, position, withheld,
     withheld_more)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tahap, topic) DO UPDATE
SET (revision, lines, parked, buckets, graduated, pending, position, withheld, withheld_more)
    = ($3, $4, $5, $6, $7, $8, $9, $10, $11)
WHERE list_proof.revision <= $3
"""
_WITHHELD = """
INSERT INTO list_withheld (tahap, revision, family, reason)
SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[])
ON CONFLICT (tahap, family) DO UPDATE SET revision = excluded.revision, reason = excluded.reason
WHERE list_withheld.revision <= excluded.revision
"""


# -- Open and frozen ------------------------------------------------------------------------------


async def open_list(unit: Transaction, tahap: str, revision: int) -> None:
    """From now on the leader looks whether the list of a tahap's announcement is whole."""
    await unit.connection.execute(
        "INSERT INTO list_open (tahap, revision) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        tahap,
        revision,
    )


async def open_run(
    unit: Transaction, tahap: str, kind: str, revision: int, trace: str | None
) -> None:
    """From now on the leader takes a frozen list of a tahap's announcement to the banks."""
    await unit.connection.execute(
        """INSERT INTO run_open (tahap, kind, revision, trace) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        tahap,
        kind,
        revision,
        trace,
    )
    await unit.connection.execute("DELETE FROM list_open WHERE tahap = $1", tahap)


async def still_open(unit: Transaction, tahaps: Collection[str]) -> dict[str, int]:
    """{tahap: revision it is announced in} of lists that are open and stay so until we commit."""
    # Only freeze and cancellation, which delete the row, wait for this; the joiner's notes do not.
    rows = await unit.connection.fetch(
        "SELECT tahap, revision FROM list_open WHERE tahap = ANY($1) ORDER BY tahap FOR KEY SHARE",
        sorted(tahaps),
    )
    return {row["tahap"]: row["revision"] for row in rows}


# -- What has come --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines that are there, changes so far, position of the last one in its sender's log."""

    lines: int
    changes: int
    newest: int


async def counted(unit: Transaction, tahap: str, topic: str) -> Counted:
    """The records of a topic that have come so far."""
    row = await unit.connection.fetchrow(
        """SELECT coalesce(sum(lines), 0)::bigint AS lines,
                  coalesce(sum(changes), 0)::bigint AS changes,
                  coalesce(max(newest), 0)::bigint AS newest
           FROM list_count WHERE tahap = $1 AND topic = $2""",
        tahap,
        topic,
    )
    return Counted(**row) if row else Counted(0, 0, 0)


class _OfTahap(msgspec.Struct):
    tahap: str


async def parked_lines(unit: Transaction, tahap: str, topic: str) -> dict[str, bytes]:
    """{family: message value} of lines that are parked here; they count as received."""
    wanted = "FamilyListed" if topic == ROSTER_TOPIC else "CycleEvaluated"
    return {
        (record.key or b"").decode(): record.value
        for record in await parked_records(unit, SERVICE, topic)
        if parse(record).type == wanted and _is_of(record, tahap)
    }


def _is_of(record: Record, tahap: str) -> bool:
    try:
        return msgspec.json.decode(record.value, type=_OfTahap).tahap == tahap
    except msgspec.DecodeError:
        return True  # unreadable: better named as missing here than waited for in vain


# -- What its owners say --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof by a topic's owner of its lines, and the families that have none: parked there, or
    withheld ({family: code}); `withheld_more` of them stand in a table of their own."""

    revision: int
    position: int
    lines: int
    graduated: int
    pending: int
    parked: tuple[str, ...]
    withheld: Mapping[str, str]
    withheld_more: int
    buckets: Buckets


async def keep_proof(
    unit: Transaction, closed: ListClosed | EvaluationClosed, position: int
) -> None:
    """Keep what a topic's owner says its lines come to, and where in its log it said so."""
    parked: tuple[str, ...] = ()
    graduated = pending = more = 0
    withheld: dict[str, str] = {}
    if isinstance(closed, ListClosed):
        graduated, pending = closed.graduated, closed.pending
        topic, lines = ROSTER_TOPIC, closed.listed + graduated
        withheld = {family.family: family.reason for family in closed.withheld}
        more = closed.withheld_more
    else:
        topic, lines, parked = COMMITMENT_TOPIC, closed.evaluated, closed.parked
    await unit.connection.execute(
        _PROOF,
        closed.tahap,
        topic,
        closed.revision,
        lines,
        encode(parked).decode(),
        encode(closed.buckets).decode(),
        graduated,
        pending,
        position,
        encode(withheld).decode(),
        more,
    )


async def keep_withheld(unit: Transaction, message: FamiliesWithheld) -> None:
    """Keep families that the end of the registry's list has no room to name."""
    families = [family.family for family in message.withheld]
    reasons = [family.reason for family in message.withheld]
    await unit.connection.execute(_WITHHELD, message.tahap, message.revision, families, reasons)


async def withheld_more(unit: Transaction, tahap: str) -> tuple[Deferral, ...]:
    """The withheld families that the end of the list does not name, in order."""
    rows = await unit.connection.fetch(
        "SELECT family::text, reason FROM list_withheld AS w WHERE tahap = $1 ORDER BY w.family",
        tahap,
    )
    return tuple(Deferral(*row) for row in rows)


async def withheld_of(unit: Transaction, tahap: str) -> dict[str, str]:
    """{family: code} of all whom the registry withheld from a tahap's list."""
    roster = await proof_of(unit, tahap, ROSTER_TOPIC)
    beyond = {deferral.family: deferral.reason for deferral in await withheld_more(unit, tahap)}
    return {**(roster.withheld if roster else {}), **beyond}


async def withheld_by_reason(unit: Transaction, tahap: str) -> dict[str, int]:
    """The number of those families for each reason."""
    rows = await unit.connection.fetch(
        "SELECT reason, count(*) FROM list_withheld WHERE tahap = $1 GROUP BY 1 ORDER BY 1", tahap
    )
    return {row["reason"]: row["count"] for row in rows}


async def proof_of(unit: Transaction, tahap: str, topic: str) -> Proof | None:
    """The proof of a topic's lines, None before it came."""
    row = await unit.connection.fetchrow(
        "SELECT * FROM list_proof WHERE tahap = $1 AND topic = $2", tahap, topic
    )
    if row is None:
        return None
    buckets = msgspec.json.decode(row["buckets"], type=dict[str, tuple[int, str]])
    parked = msgspec.json.decode(row["parked"], type=tuple[str, ...])
    figures = row["revision"], row["position"], row["lines"], row["graduated"], row["pending"]
    withheld = msgspec.json.decode(row["withheld"], type=dict[str, str])
    more = row["withheld_more"]
    return Proof(*figures, parked, withheld, more, Buckets.from_json(buckets))


# -- Whether it has moved -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Half:
    """One topic's half of a list: what has come, what is parked, what its owner says of it."""

    topic: str
    proof: Proof | None
    counted: Counted
    parked: dict[str, bytes]

    @property
    def arrived(self) -> bool:
        """True if everything may be here; a parked line counts as received."""
        here = self.counted.lines + len(self.parked)
        return self.proof is not None and here >= self.proof.lines


async def halves_of(unit: Transaction, tahap: str) -> list[Half]:
    """Both halves of a tahap's list as they stand."""
    return [
        Half(
            topic,
            await proof_of(unit, tahap, topic),
            await counted(unit, tahap, topic),
            await parked_lines(unit, tahap, topic),
        )
        for topic in TOPICS
    ]


def seen(halves: Sequence[Half], held: Collection[str]) -> str:
    """The state that a look has seen: the next has nothing to do while it stays the same."""
    parts = [
        f"{half.proof.position if half.proof else 0}/{half.counted.changes}"
        f"/{','.join(sorted(half.parked))}"
        for half in halves
    ]
    return " ".join([*parts, ",".join(sorted(held))])


async def unmoved(unit: Transaction, tahap: str, day: date) -> bool:
    """True where an open list is as it was proven, and who is held; it stays so until we commit.

    `day` is the one that its payments count for.
    """
    row = await unit.connection.fetchrow(
        "SELECT seen, proved FROM list_open WHERE tahap = $1 FOR UPDATE", tahap
    )
    if row is None:
        return True  # frozen long ago
    held = await held_on_list(unit, tahap, day, DEFERRED_FAMILIES_MAX)
    return bool(row["proved"]) and row["seen"] == seen(await halves_of(unit, tahap), held)
