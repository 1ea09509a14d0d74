"""Look-ups beside the streams: who a family and its members are, sealed; lists in the making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from libs.events.store.codec import codec_of
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY, LISTING
from services.registry.domain.closing import tahap_order
from services.registry.domain.family import events
from services.registry.domain.family.state import Family
from services.registry.domain.listing.state import Listing

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

IDENTITIES_MAX = 1_000

_FAMILY = """
INSERT INTO identity_family (family, card, region) VALUES ($1, $2, $3)
ON CONFLICT (family) DO UPDATE SET card = $2, region = $3
"""
_MOVED = "UPDATE identity_family SET region = $2 WHERE family = $1"
_MEMBER = """
INSERT INTO identity_member (family, member, nik) SELECT $1::uuid, $2::integer, $3
WHERE NOT EXISTS (SELECT FROM erasure WHERE erasure.family = $1 AND state <> 'PROPOSED')
ON CONFLICT (family, member) DO UPDATE SET nik = $3
"""
# A line behind the list, of a re-opened family, is in no bucket.
_LINES = """
SELECT DISTINCT ON (stream_id) stream_id, schema_version, data FROM events
WHERE stream_id = ANY($1) AND type = 'FamilyListed' AND data ->> 'tahap' = $2
  AND (data ->> 'revision')::int = $3 AND coalesce((data ->> 'reopening')::int, 0) = 0
ORDER BY stream_id, version
"""


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
    moved: list[tuple[str, str]] = []
    members: list[tuple[str, int, str]] = []
    for outcome in outcomes:
        family = outcome.stream_id.removeprefix("family-")
        for event in outcome.events:
            match event:
                case events.FamilyRegistered(row=row):
                    families.append((family, row.card, row.region))
                case events.FamilyMoved():
                    # Moves may be reported out of order; the latest that holds is the state's last.
                    moved.append((family, outcome.state.moves[-1].region))
                case events.MembersRegistered(first_member=first, rows=rows):
                    members += [(family, first + n, row.nik) for n, row in enumerate(rows)]
                case (
                    events.MemberBorn(member=member, nik=nik)
                    | events.NikRecorded(member=member, nik=nik)
                ):
                    members.append((family, member, nik))
                case _:
                    pass  # says nothing of who anybody is
    for statement, rows_of in ((_FAMILY, families), (_MOVED, moved), (_MEMBER, members)):
        if rows_of:
            await unit.connection.executemany(statement, rows_of)


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


async def note_read(
    connection: Connection, at: datetime, reader: str, families: Sequence[str]
) -> None:
    """Write down who reads whose identity."""
    await connection.execute(
        "INSERT INTO identity_read (at, reader, families) VALUES ($1, $2, $3)",
        at,
        reader,
        list(families),
    )


async def identities(
    store: Store, families: Sequence[str], reader: str, at: datetime
) -> list[Identity]:
    """The identities of families that exist; who reads them is written down first."""
    async with store.pool.acquire() as connection, connection.transaction():
        await note_read(connection, at, reader, families)
        rows = await connection.fetch(
            """SELECT family::text, region, card FROM identity_family
               WHERE family = ANY($1::uuid[]) ORDER BY identity_family.family""",
            list(families),
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


async def family_of_card(
    store: Store, token: str, reader: str, at: datetime
) -> tuple[str, str] | None:
    """(family, region) of a card's token; who asks is written down, also where nobody has it."""
    async with store.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            """SELECT family::text, region FROM claims
               JOIN identity_family ON family = substr(stream_id, 8)::uuid
               WHERE kind = 'card' AND token = $1""",
            token,
        )
        await note_read(connection, at, reader, [row["family"]] if row else [])
    return (row["family"], row["region"]) if row else None


async def card_owners(unit: Transaction, tokens: Iterable[str]) -> dict[str, Owner]:
    """{card token: owner} of the cards that are registered."""
    rows = await unit.connection.fetch(
        """SELECT token, stream_id, region FROM claims
           JOIN identity_family ON family = substr(stream_id, 8)::uuid
           WHERE kind = 'card' AND token = ANY($1)""",
        list(set(tokens)),
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
