"""Look-ups beside the streams: who a family and its members are, sealed; lists in the making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from libs.events.store.codec import codec_of
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY, LISTING
from services.registry.domain.closing import tahap_order
from services.registry.domain.family import events, roster
from services.registry.domain.family.state import Family
from services.registry.domain.listing.state import Listing

IDENTITIES_MAX = 1_000

_FAMILY = """
INSERT INTO identity_family (family, card, region)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
ON CONFLICT (family) DO UPDATE SET card = excluded.card, region = excluded.region
"""
_MOVED = "UPDATE identity_family SET region = $2 WHERE family = $1"
_NOT_AHEAD = "DELETE FROM move_ahead WHERE family = $1"
_AHEAD = "INSERT INTO move_ahead (family, effective_on, region) VALUES ($1, $2, $3)"
_MEMBER = """
INSERT INTO identity_member (family, member, nik)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS new (family)
WHERE NOT EXISTS (SELECT FROM erasure WHERE erasure.family = new.family AND state <> 'PROPOSED')
ON CONFLICT (family, member) DO UPDATE SET nik = excluded.nik
"""
# A line behind the list, of a re-opened family, is in no bucket.
_LINES = """
SELECT DISTINCT ON (stream_id) stream_id, schema_version, data FROM events
WHERE stream_id = ANY($1) AND type = 'FamilyListed' AND data ->> 'tahap' = $2
  AND (data ->> 'revision')::int = $3 AND coalesce((data ->> 'reopening')::int, 0) = 0
ORDER BY stream_id, version
"""


def lives_on(day: str) -> str:
    """The SQL of where a row of identity_family lives on a day, such as "$2"."""
    return f"""coalesce(
        (SELECT ahead.region FROM move_ahead AS ahead
         WHERE ahead.family = identity_family.family AND ahead.effective_on <= {day}::date
         ORDER BY ahead.effective_on DESC LIMIT 1), identity_family.region)"""  # noqa: S608 - of texts that stand here


# Of who is erased, where they lived then: an eraser sees what became of it.
_LIVES = f"""
SELECT {lives_on("$2")} FROM identity_family WHERE family = $1
UNION ALL SELECT region FROM erasure WHERE family = $1 AND state <> 'PROPOSED'
"""  # noqa: S608 - of texts that stand here


@dataclass(frozen=True, slots=True)
class Identity:
    """A family's sealed card number and its members' sealed NIKs."""

    family: str
    region: str
    card: str
    niks: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Owner:
    """The stream of the family that has a card, and where the family is now."""

    stream_id: str
    region: str


async def keep_identities(
    unit: Transaction, outcomes: Iterable[Outcome[Family, events.Event]]
) -> None:
    """Keep what handled families' events say of who they are."""
    families: list[tuple[str, str, str]] = []
    moved: dict[str, Family] = {}
    members: list[tuple[str, int, str]] = []
    for outcome in outcomes:
        family = outcome.stream_id.removeprefix("family-")
        for event in outcome.events:
            match event:
                case events.FamilyRegistered(row=row):
                    families.append((family, row.card, row.region))
                case events.FamilyMoved():
                    moved[family] = outcome.state
                case events.MembersRegistered(first_member=first, rows=rows):
                    members += [(family, first + n, row.nik) for n, row in enumerate(rows)]
                case (
                    events.MemberBorn(member=member, nik=nik)
                    | events.NikRecorded(member=member, nik=nik)
                ):
                    members.append((family, member, nik))
                case _:
                    pass  # says nothing of who anybody is
    for statement, keys, rows_of in ((_FAMILY, 1, families), (_MEMBER, 2, members)):
        last_of_each = {row[:keys]: row for row in rows_of}
        if last_of_each:
            columns = zip(*last_of_each.values(), strict=True)
            await unit.connection.execute(statement, *map(list, columns))
    await _keep_moves(unit, moved)


async def _keep_moves(unit: Transaction, moved: Mapping[str, Family]) -> None:
    """Keep where families are today, and which moves are ahead of them, by day."""
    today = unit.context.at.date()
    for family, state in moved.items():
        ahead = {
            move.effective_on: move.region for move in state.moves if move.effective_on > today
        }
        rows = [(family, day, region) for day, region in ahead.items()]
        await unit.connection.execute(_MOVED, family, roster.region(state, today))
        await unit.connection.execute(_NOT_AHEAD, family)
        await unit.connection.executemany(_AHEAD, rows)


async def lives(store: Store, family: UUID, on: date) -> str | None:
    """Where a family lives on a day; None where nobody has registered it."""
    region: str | None = await store.pool.fetchval(_LIVES, family, on)
    return region


async def sealed_niks(
    unit: Transaction, members: Mapping[str, Sequence[int]]
) -> dict[str, dict[int, str]]:
    """{family: {member: sealed NIK}} of the given members."""
    rows = await unit.connection.fetch(
        "SELECT family::text, member, nik FROM identity_member WHERE family = ANY($1::uuid[])",
        list(members),
    )
    found: dict[str, dict[int, str]] = {family: {} for family in members}
    for family, member, nik in rows:
        if member in members[family]:
            found[family][member] = nik
    return found


async def identities(store: Store, families: Sequence[str], on: date) -> list[Identity]:
    """The sealed identities of families that exist, and where they live on a day."""
    async with store.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"""SELECT family::text, {lives_on("$2")} AS region, card FROM identity_family
                WHERE family = ANY($1::uuid[]) ORDER BY identity_family.family""",  # noqa: S608 - of texts that stand here
            list(families),
            on,
        )
        members = await connection.fetch(
            """SELECT family::text, member, nik FROM identity_member
               WHERE family = ANY($1::uuid[]) ORDER BY identity_member.family, member""",
            list(families),
        )
    niks: dict[str, dict[int, str]] = {}
    for family, member, nik in members:
        niks.setdefault(family, {})[member] = nik
    return [
        Identity(row["family"], row["region"], row["card"], niks.get(row["family"], {}))
        for row in rows
    ]


async def family_of_card(store: Store, token: str, on: date) -> tuple[str, str] | None:
    """(family, region) of a card's token, and where the family lives on a day."""
    row = await store.pool.fetchrow(
        f"""SELECT family::text, {lives_on("$2")} AS region FROM claims
            JOIN identity_family ON family = substr(stream_id, 8)::uuid
            WHERE kind = 'card' AND token = $1""",  # noqa: S608 - of texts that stand here
        token,
        on,
    )
    return (row["family"], row["region"]) if row else None


async def card_of(unit: Transaction, family: UUID) -> str:
    """The token that the card of a registered family was first known by."""
    token: str = await unit.connection.fetchval(
        "SELECT token FROM claims WHERE kind = 'card' AND stream_id = $1", f"family-{family}"
    )
    return token


async def card_owners(unit: Transaction, tokens: Iterable[str]) -> dict[str, Owner]:
    """{card token: owner} of the cards that are registered."""
    rows = await unit.connection.fetch(
        f"""SELECT token, stream_id, {lives_on("$2")} AS region FROM claims
            JOIN identity_family ON family = substr(stream_id, 8)::uuid
            WHERE kind = 'card' AND token = ANY($1)""",  # noqa: S608 - of texts that stand here
        list(set(tokens)),
        unit.context.at.date(),
    )
    return {row["token"]: Owner(row["stream_id"], row["region"]) for row in rows}


# -- Lists ----------------------------------------------------------------------------------------


async def open_listing(unit: Transaction, tahap: str, trace: str | None) -> None:
    """From now on the leader makes this tahap's list."""
    await unit.connection.execute(
        "INSERT INTO listing_open (tahap, trace) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        tahap,
        trace,
    )


async def last_listed(unit: Transaction) -> str | None:
    """The latest tahap of which a list was begun, and not cancelled."""
    last = await _last_listing(unit)
    return last.tahap if last else None


async def last_closing(unit: Transaction) -> date | None:
    """The closing date of that tahap."""
    last = await _last_listing(unit)
    return last.closing_date if last else None


async def _last_listing(unit: Transaction) -> Listing | None:
    found = await unit.load(LISTING, [f"listing-{name}" for name in await unit.names_of("listing")])
    standing = [loaded.state for loaded in found.values() if not loaded.state.cancelled]
    return max(standing, key=lambda listing: tahap_order(listing.tahap), default=None)


async def open_listings(store: Store) -> list[tuple[str, str | None]]:
    """(tahap, traceparent) of each list that is not closed yet."""
    rows = await store.pool.fetch("SELECT tahap, trace FROM listing_open ORDER BY tahap")
    return [(row["tahap"], row["trace"]) for row in rows]


async def end_listing(unit: Transaction, tahap: str) -> None:
    """The list is closed."""
    await unit.connection.execute("DELETE FROM listing_open WHERE tahap = $1", tahap)


async def families_after(unit: Transaction, cursor: str, limit: int) -> list[str]:
    """The ids of the next families behind a cursor, ascending."""
    return await unit.names_of("family", cursor, limit)


async def ask_again(unit: Transaction, tahap: str, buckets: Sequence[str]) -> None:
    """From now on the leader sends the lines of these buckets again."""
    await unit.connection.executemany(
        "INSERT INTO relist_asked (tahap, bucket) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [(tahap, bucket) for bucket in buckets],
    )


async def asked_again(store: Store) -> list[tuple[str, str]]:
    """(tahap, bucket) of lines that somebody asked for again."""
    rows = await store.pool.fetch("SELECT tahap, bucket FROM relist_asked ORDER BY tahap, bucket")
    return [(row["tahap"], row["bucket"]) for row in rows]


async def stored_lines(
    unit: Transaction, tahap: str, revision: int, families: Sequence[str]
) -> list[tuple[str, events.FamilyListed]]:
    """(stream, line) of each of these families that has a line of a list, as it is stored."""
    codec, streams = codec_of(FAMILY), [f"family-{family}" for family in families]
    rows = await unit.connection.fetch(_LINES, streams, tahap, revision)
    stored = [
        (row["stream_id"], codec.decode_event("FamilyListed", row["schema_version"], row["data"]))
        for row in rows
    ]
    return [(stream, line) for stream, line in stored if isinstance(line, events.FamilyListed)]


async def sent_again(unit: Transaction, tahap: str, bucket: str) -> None:
    """The bucket's lines stand in the log again."""
    await unit.connection.execute(
        "DELETE FROM relist_asked WHERE tahap = $1 AND bucket = $2", tahap, bucket
    )
