"""The families that are held: their rows, their lines, and the moment up to which a hold holds.

A hold and a bank's file cannot pass each other: whoever approves a hold has every open run's row in
share, whoever commits a file has its run's row alone, and each looks at what the other left.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events import telemetry
from libs.events.consumer.parking import parked_keys
from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from services.payments.contract import COMMITMENT_TOPIC, RUN, SERVICE, TAHAP
from services.payments.domain.administrative_hold.decider import AdministrativeHold
from services.payments.domain.administrative_hold.messages import HoldKind, HoldTerms
from services.payments.domain.run.messages import DeferredLine
from services.payments.domain.shared.errors import AlreadyDispatched
from services.payments.domain.shared.ids import REGULAR, payment_id
from services.payments.domain.tahap.messages import Deferral
from services.payments.domain.tahap.state import TahapState
from services.payments.tables.deferrals import take_out
from services.payments.tables.list_lines import LINES_A_CHUNK
from services.payments.tables.run_lines import Job, RunMovedMeanwhile

FAMILY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ON_HOLD: Final = "ON_HOLD"
EXCLUDED: Final = "EXCLUDED"
ERASED: Final = "ERASED"
ERASURE: Final = "ERASURE"
"""The kind of a hold that nobody ends: the registry erases the family (erased_families.py)."""
DECISION_PARKED: Final = "DECISION_PARKED"
PARKED_MAX: Final = 1_000

_KEEP: Final = """
INSERT INTO administrative_hold (family, region, state, reason, kind, from_tahap, last_day)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (family) DO UPDATE
SET region = $2, state = $3, reason = $4, kind = $5, from_tahap = $6, last_day = $7
"""
_PAGE: Final = """
SELECT family FROM administrative_hold
WHERE NOT EXISTS (SELECT FROM erased_family AS erased
                  WHERE erased.family = administrative_hold.family)
  AND ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR reason = $2)
  AND ($3::uuid IS NULL OR family > $3) AND EXISTS (
      SELECT FROM unnest($4::text[], $5::text[]) AS r (low, high)
      WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
ORDER BY family LIMIT $6
"""
_HELD: Final = """
SELECT family::text, kind, reason FROM held_family
WHERE from_tahap <= $1 AND (last_day IS NULL OR last_day >= $2)
"""
# Few are held, so each is looked up by its key (OFFSET 0); a join would read a tahap's whole list.
_OF_RUN: Final = f"""
{_HELD} AND EXISTS (SELECT FROM payment_of WHERE tahap = $1 AND kind = $3
                    AND payment_of.family = held_family.family OFFSET 0)
"""
_LISTED: Final = f"""
{_HELD} AND EXISTS (SELECT FROM list_line WHERE tahap = $1 AND outcome = 'LISTED'
                    AND list_line.family = held_family.family OFFSET 0)
ORDER BY held_family.family LIMIT $3
"""
_IN_RUN: Final = """
SELECT payment::text, family::text, bank, amount FROM run_line
WHERE tahap = $1 AND kind = $2 AND payment = ANY($3::uuid[]) AND payable AND deferred IS NULL
  AND coalesce(account_check, 'OK') = 'OK' AND ($4::text IS NULL OR bank = $4)
ORDER BY run_line.payment LIMIT $5
"""
OPEN_RUNS: Final = "SELECT tahap, kind FROM run_open ORDER BY tahap, kind FOR SHARE"
_ALONE: Final = """
SELECT true FROM run_open WHERE tahap = $1 AND kind = $2 AND revision = $3 FOR UPDATE
"""


class HoldsParked(CorridorError):
    """Decisions on very many families' money are parked here; replay them before money is sent."""


def state_of(hold: AdministrativeHold) -> str:
    """The state of a hold: PROPOSED, CHANGE_PROPOSED, END_PROPOSED; or else HELD, ENDED."""
    if hold.proposal is not None:
        return "PROPOSED" if hold.terms is None else "CHANGE_PROPOSED"
    if hold.end is not None:
        return "END_PROPOSED"
    return "ENDED" if hold.terms is None else "HELD"


async def keep(unit: Transaction, hold: AdministrativeHold, region: str) -> None:
    """Note how a family is held, in the transaction of the event."""
    terms = hold.terms
    latest = terms or (hold.proposal.terms if hold.proposal else None)
    reason = latest.reason if latest else hold.last.reason if hold.last else ""
    in_force = (terms.kind, terms.from_tahap, terms.last_day) if terms else (None, "", None)
    await unit.connection.execute(_KEEP, hold.family, region, state_of(hold), reason, *in_force)


async def holds(
    store: Store,
    regions: Sequence[str],
    state: str | None,
    reason: str | None,
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    """The families behind one, in order, of some regions that are held in a way for a reason."""
    rows = await store.pool.fetch(_PAGE, state, reason, after, *region_ranges(regions), limit)
    return [row["family"] for row in rows]


# -- Who is held ----------------------------------------------------------------------------------


async def held_among(
    unit: Transaction, tahap: str, day: date, families: Collection[str]
) -> dict[str, str]:
    """{family: ON_HOLD, EXCLUDED or ERASED} of those whose money of a tahap, for a day, is held."""
    rows = await unit.connection.fetch(
        f"{_HELD} AND family = ANY($3::uuid[])", tahap, day, list(families)
    )
    return {row["family"]: _code(row["kind"]) for row in rows}


async def held_on_list(unit: Transaction, tahap: str, day: date, limit: int) -> dict[str, str]:
    """{family: ON_HOLD, EXCLUDED or ERASED} of the first of those on a tahap's list, in order."""
    rows = await unit.connection.fetch(_LISTED, tahap, day, limit)
    return {row["family"]: _code(row["kind"]) for row in rows}


async def families_parked(unit: Transaction, topic: str) -> set[str]:
    """The families of whom anything is parked: of an evaluation, also what follows from it."""
    return {key for key in await parked_keys(unit, SERVICE, topic) if FAMILY.fullmatch(key)}


async def lapsing(unit: Transaction, state: TahapState) -> list[Deferral]:
    """The families left over in a tahap whose money lapses with it: excluded, or erased."""
    rows = await unit.connection.fetch(
        f"{_HELD} AND kind = ANY($3) AND family = ANY($4::uuid[])",
        state.tahap,
        state.day_of(REGULAR),
        [HoldKind.EXCLUSION, ERASURE],
        list(state.outstanding),
    )
    return [Deferral(row["family"], row["reason"]) for row in rows]


def _code(kind: str) -> str:
    return {HoldKind.EXCLUSION: EXCLUDED, ERASURE: ERASED}.get(kind, ON_HOLD)


async def hold_readings(store: Store) -> list[Sample]:
    """The gauges of holds: the families that are held, by kind, on whatever day."""
    rows = await store.pool.fetch(
        """SELECT kind, count(*) AS families FROM administrative_hold
           WHERE kind IS NOT NULL GROUP BY kind"""
    )
    held = dict.fromkeys(HoldKind, 0) | {row["kind"]: row["families"] for row in rows}
    return [Sample(telemetry.HELD_FAMILIES, count, (kind,)) for kind, count in held.items()]


# -- Their lines ----------------------------------------------------------------------------------


async def defer_held(
    unit: Transaction, key: tuple[str, str], day: date, bank: str | None = None
) -> bool:
    """Take held families' lines out of a run (of one bank, if named); whether there were any.

    At most LINES_A_CHUNK of them, so whoever asks asks until there are none.
    """
    rows = await unit.connection.fetch(_OF_RUN, key[0], day, key[1])
    held = {payment_id(key[0], row["family"], key[1]): _code(row["kind"]) for row in rows}
    return await _defer(unit, key, held, bank)


async def defer_parked(unit: Transaction, key: tuple[str, str], bank: str) -> bool:
    """Take lines out of a bank's part of a run of whose families a decision is parked here:
    whether their money is to be blocked is not known. Answers whether there were any.

    Raises `HoldsParked` where there are so many that the fault is hardly theirs.
    """
    families = await families_parked(unit, COMMITMENT_TOPIC)
    if len(families) > PARKED_MAX:
        raise HoldsParked(families=len(families))
    reasons = {payment_id(key[0], family, key[1]): DECISION_PARKED for family in families}
    return await _defer(unit, key, reasons, bank)


async def _defer(
    unit: Transaction, key: tuple[str, str], reasons: Mapping[str, str], bank: str | None
) -> bool:
    """Take the lines of some payments out of a run, each for its reason."""
    if not reasons:
        return False
    rows = await unit.connection.fetch(_IN_RUN, *key, list(reasons), bank, LINES_A_CHUNK)
    lines = [
        DeferredLine(r["payment"], r["family"], r["bank"], r["amount"], reasons[r["payment"]])
        for r in rows
    ]
    await take_out(unit, key, lines)
    return bool(lines)


async def alone_with_run(unit: Transaction, job: Job) -> None:
    """Have a run until we commit: no hold is approved meanwhile, and each one before is seen.

    Taken before any stream. Raises `RunMovedMeanwhile` where the run is over: its books are closed,
    or its tahap was cancelled, also where it was announced anew since.
    """
    if not await unit.connection.fetchval(_ALONE, *job.key, job.announced.revision):
        raise RunMovedMeanwhile(tahap=job.key[0], kind=job.key[1])


async def ensure_in_time(unit: Transaction, family: str, terms: HoldTerms) -> None:
    """No file is committed until we commit, and none is that pays the family on the terms' days.

    Raises `AlreadyDispatched` where one is; a run that is reconciled is no matter of a hold.
    """
    for tahap, kind in await unit.connection.fetch(OPEN_RUNS):
        standing = (await unit.load(TAHAP, [TAHAP.stream(tahap)]))[TAHAP.stream(tahap)].state
        if not terms.concerns(tahap, standing.day_of(kind)):
            continue
        line = await unit.connection.fetchrow(
            """SELECT bank FROM run_line WHERE tahap = $1 AND kind = $2 AND payment = $3
               AND account_check = 'OK' AND deferred IS NULL""",
            tahap,
            kind,
            payment_id(tahap, family, kind),
        )
        if line is None:
            continue
        stream = RUN.stream(tahap, kind)
        state = (await unit.load(RUN, [stream]))[stream].state
        if file := state.file_of(line["bank"]):
            raise AlreadyDispatched(tahap=tahap, kind=kind, file=file)
