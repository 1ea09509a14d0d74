"""Families and groups as others say they are: assignments, standing, where families live."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.p2k2.contract import FamilyMoved, GroupAssigned
from services.p2k2.domain.group import LeftFor

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

FROM_THE_BEGINNING: Final = date(1900, 1, 1)

_ASSIGN: Final = """
INSERT INTO member (family, since, group_id, facilitator, card, region)
SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS new (family)
WHERE NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = new.family)
ON CONFLICT (family, since) DO UPDATE
SET group_id = excluded.group_id, facilitator = excluded.facilitator, card = excluded.card
"""
# Whose group it is was said first: nobody moves a group to another village by naming it.
_GROUPS: Final = """
INSERT INTO study_group (group_id, region, facilitator)
SELECT DISTINCT ON (group_id) * FROM unnest($1::text[], $2::text[], $3::text[])
    AS new (group_id, region, facilitator)
ON CONFLICT (group_id) DO UPDATE SET facilitator = excluded.facilitator
"""
_DESIGNATED: Final = """
INSERT INTO standing (family, designated, designated_in)
SELECT family, true, tahap FROM unnest($1::uuid[], $2::text[]) AS new (family, tahap)
ON CONFLICT (family) DO UPDATE SET designated = true, designated_in = excluded.designated_in
"""
# Two people ended a participation: no cancelled tahap takes that back, so it stands above the rest
# until registry has taken it back.
_LEFT: Final = """
INSERT INTO standing (family, left_for, left_in)
SELECT family, $3, tahap FROM unnest($1::uuid[], $2::text[]) AS new (family, tahap)
ON CONFLICT (family) DO UPDATE SET left_for = excluded.left_for, left_in = excluded.left_in
WHERE standing.left_for IS DISTINCT FROM 'TERMINATED'
"""
# The two come on two topics: who writes second sees what the first has written.
_LOCK_STANDING: Final = (
    """INSERT INTO standing (family) SELECT DISTINCT unnest($1::uuid[]) ORDER BY 1
       ON CONFLICT DO NOTHING""",
    "SELECT FROM standing WHERE family = ANY($1::uuid[]) ORDER BY family FOR UPDATE",
)
_TERMINATED: Final = """
INSERT INTO standing (family, left_for, terminated_with)
SELECT family, 'TERMINATED', cycle FROM unnest($1::uuid[], $2::text[]) AS new (family, cycle)
WHERE NOT EXISTS (SELECT FROM taken_back AS back
                  WHERE back.family = new.family AND back.cycle = new.cycle)
ON CONFLICT (family) DO UPDATE
SET left_for = 'TERMINATED', left_in = NULL, terminated_with = excluded.terminated_with
"""
_TAKEN_BACK: Final = """
WITH back AS (
    INSERT INTO taken_back (family, cycle) SELECT * FROM unnest($1::uuid[], $2::text[])
    ON CONFLICT DO NOTHING)
UPDATE standing SET left_for = NULL, left_in = NULL, terminated_with = NULL
FROM unnest($1::uuid[], $2::text[]) AS back (family, cycle)
WHERE standing.family = back.family AND standing.left_for = 'TERMINATED'
  AND coalesce(standing.terminated_with, back.cycle) = back.cycle
"""
_UNLISTED: Final = """
UPDATE standing
SET designated = designated AND designated_in IS DISTINCT FROM void.tahap,
    left_for = CASE WHEN left_in = void.tahap THEN NULL ELSE left_for END,
    left_in = nullif(left_in, void.tahap)
FROM unnest($1::uuid[], $2::text[]) AS void (family, tahap) WHERE standing.family = void.family
"""
_MOVED: Final = """
INSERT INTO family_move (family, effective_on, position, region)
SELECT * FROM unnest($1::uuid[], $2::date[], $3::bigint[], $4::text[]) ON CONFLICT DO NOTHING
"""
_ERASE: Final = (
    "INSERT INTO erased_family SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
    "UPDATE member SET card = '' WHERE family = ANY($1::uuid[])",
    "DELETE FROM attendance WHERE family = ANY($1::uuid[])",
)
_PARTICIPATING: Final = """
SELECT member.family::text, member.group_id, study_group.region, study_group.facilitator,
       CASE WHEN EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = member.family)
            THEN 'ERASED'
            ELSE coalesce(standing.left_for, CASE WHEN NOT designated THEN 'UNLISTED' END) END
FROM member JOIN standing USING (family) JOIN study_group USING (group_id)
WHERE member.family = ANY($1::uuid[])
  AND member.since = (SELECT max(since) FROM member AS latest
                      WHERE latest.family = member.family)
ORDER BY member.group_id, member.family
"""
_BY_CARD: Final = """
SELECT card, family::text, since, group_id FROM member WHERE card = ANY($1) ORDER BY since DESC
"""
_BY_FAMILY: Final = """
SELECT family::text AS card, family::text, since, group_id FROM member
WHERE family = ANY($1::uuid[])
  AND NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = member.family)
ORDER BY since DESC
"""
_NOT_ERASED: Final = """
SELECT asked.family::text FROM unnest($1::uuid[]) AS asked (family)
WHERE NOT EXISTS (SELECT FROM erased_family AS erased WHERE erased.family = asked.family)
"""
_LIVES: Final = """
SELECT coalesce(
    (SELECT region FROM family_move WHERE family = $1 AND effective_on <= $2
     ORDER BY effective_on DESC, position DESC LIMIT 1),
    (SELECT region FROM member WHERE family = $1 ORDER BY since LIMIT 1))
WHERE NOT EXISTS (SELECT FROM erased_family WHERE family = $1)
"""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group's village and facilitator."""

    group: str
    region: str
    facilitator: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A family's group from a day on."""

    family: str
    since: date
    group: str


@dataclass(frozen=True, slots=True)
class Participant:
    """A family that was judged and its group; `left_for` says why it belongs to that no more."""

    family: str
    group: GroupRow
    left_for: LeftFor | None


async def assign(unit: Transaction, assigned: Sequence[GroupAssigned]) -> None:
    """Keep to which group each family is assigned; the latest word of a day counts."""
    latest = {(body.family, body.since or FROM_THE_BEGINNING): body for body in assigned}
    groups = [(body.group, body.region, body.facilitator) for body in latest.values()]
    await unit.connection.execute(_GROUPS, *map(list, zip(*groups, strict=True)))
    rows = [
        (family, since, body.group, body.facilitator, body.card, body.region)
        for (family, since), body in latest.items()
    ]
    await unit.connection.execute(_ASSIGN, *map(list, zip(*rows, strict=True)))


async def designate(unit: Transaction, families: Mapping[str, str]) -> None:
    """Note that families were found eligible, each at a tahap."""
    await unit.connection.execute(_DESIGNATED, list(families), list(families.values()))


async def terminate(unit: Transaction, ended: Collection[tuple[str, str]]) -> None:
    """Note the families whose participation two people have ended, each with its cycle; one that
    was taken back already is passed over."""
    latest = dict(ended)
    await _lock_standing(unit, latest)
    await unit.connection.execute(_TERMINATED, list(latest), list(latest.values()))


async def take_back(unit: Transaction, back: Collection[tuple[str, str]]) -> None:
    """Note the terminations, by family and cycle, that are void, whether they are known or not."""
    await _lock_standing(unit, {family for family, _ in back})
    await unit.connection.execute(_TAKEN_BACK, *map(list, zip(*back, strict=True)))


async def _lock_standing(unit: Transaction, families: Collection[str]) -> None:
    for statement in _LOCK_STANDING:
        await unit.connection.execute(statement, list(families))


async def leave(unit: Transaction, families: Mapping[str, str], reason: LeftFor) -> None:
    """Note why families have left the programme, and with which tahap."""
    await unit.connection.execute(_LEFT, list(families), list(families.values()), reason)


async def unlist(unit: Transaction, void: Collection[tuple[str, str]]) -> None:
    """Take back what the lists of cancelled tahaps said of families; a termination stays."""
    await unit.connection.execute(_UNLISTED, *map(list, zip(*void, strict=True)))


async def move(unit: Transaction, moves: Sequence[tuple[int, FamilyMoved]]) -> None:
    """Note where families live from a day on; each by the position of its message."""
    rows = [(body.family, body.effective_on, position, body.region) for position, body in moves]
    await unit.connection.execute(_MOVED, *map(list, zip(*rows, strict=True)))


async def erase(unit: Transaction, families: Collection[str]) -> None:
    """Forget whose cards and marks families have; their events keep a number of nobody."""
    for statement in _ERASE:
        await unit.connection.execute(statement, list(families))


async def not_erased(connection: Connection, families: Collection[str]) -> set[str]:
    """Those of these families that are not erased: the log names the others for good."""
    return {row["family"] for row in await connection.fetch(_NOT_ERASED, list(families))}


async def participants(unit: Transaction, families: Collection[str]) -> list[Participant]:
    """Those of these families that were judged and have a group."""
    rows = await unit.connection.fetch(_PARTICIPATING, list(families))
    return [
        Participant(family, GroupRow(group, region, facilitator), left_for)
        for family, group, region, facilitator, left_for in rows
    ]


async def memberships_of_cards(
    connection: Connection, cards: Collection[str]
) -> Mapping[str, Sequence[Membership]]:
    """{token of a card: the groups of its family, the latest first}."""
    return _memberships(await connection.fetch(_BY_CARD, list(cards)))


async def memberships_of_families(
    connection: Connection, families: Collection[str]
) -> Mapping[str, Sequence[Membership]]:
    """{family: its groups, the latest first}, of those that are not erased."""
    return _memberships(await connection.fetch(_BY_FAMILY, list(families)))


def _memberships(rows: Sequence[Any]) -> dict[str, list[Membership]]:
    found: dict[str, list[Membership]] = {}
    for key, family, since, group in rows:
        found.setdefault(key, []).append(Membership(family, since, group))
    return found


def group_on(memberships: Sequence[Membership], on: date) -> str | None:
    """The group of a family on a day; None where it had none."""
    return next((member.group for member in memberships if member.since <= on), None)


async def lock_groups(unit: Transaction, groups: Collection[str]) -> dict[str, GroupRow]:
    """The groups that there are among these, held so that nobody else gives them sessions."""
    rows = await unit.connection.fetch(
        """SELECT group_id, region, facilitator FROM study_group WHERE group_id = ANY($1)
           ORDER BY group_id FOR UPDATE""",
        list(groups),
    )
    return {row["group_id"]: GroupRow(*row) for row in rows}


async def group_row(store: Store, group: str) -> GroupRow | None:
    """A group's village and facilitator; None where no family was ever assigned to it."""
    row = await store.pool.fetchrow(
        "SELECT group_id, region, facilitator FROM study_group WHERE group_id = $1", group
    )
    return GroupRow(*row) if row else None


async def facilitator_of(connection: Connection, group: str) -> str:
    """A group's facilitator as registry said last; "" for a group that nobody named."""
    found: str | None = await connection.fetchval(
        "SELECT facilitator FROM study_group WHERE group_id = $1", group
    )
    return found or ""


async def lives(store: Store, family: UUID, on: date) -> str | None:
    """Where a family lives on a day; None where no group has it, or it is erased."""
    region: str | None = await store.pool.fetchval(_LIVES, family, on)
    return region
