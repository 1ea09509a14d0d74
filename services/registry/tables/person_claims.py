"""Persons by token, and the family that has each: who named them first, or was decided for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import Persons
from services.registry.domain.family.events import Event, PersonAdjudicated, PersonsRegistered
from services.registry.domain.family.state import Family
from services.registry.tables.identity_rows import lives_on

_LATEST: Final = """
WITH latest AS (
    SELECT DISTINCT ON (token) token, family FROM adjudicated JOIN blocks USING (block)
    WHERE ($1::bigint IS NULL OR first_position <= $1)
    ORDER BY token, first_position DESC, number DESC
)
"""
_HOLDERS: Final = f"""{_LATEST}
SELECT claims.token, coalesce('family-' || family, stream_id) AS stream,
       family IS NOT NULL AS decided
FROM claims LEFT JOIN latest ON latest.token = claims.token AND latest.token = ANY($2)
WHERE kind = 'person' AND claims.token = ANY($2)
"""  # noqa: S608 - of texts that stand here
_REGIONS: Final = f"""
SELECT {lives_on("$2")} AS region FROM identity_family WHERE family = ANY($1::uuid[])
"""  # noqa: S608 - of texts that stand here
_NAMED: Final = """
INSERT INTO duplicate (family, member, token)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[])
ON CONFLICT DO NOTHING
"""
_DECIDED: Final = "INSERT INTO adjudicated (token, family, block) VALUES ($1, $2, $3)"
_PAGE: Final = f"""{_LATEST}
SELECT duplicate.family, member, lives_in,
       coalesce('family-' || latest.family, stream_id) = 'family-' || duplicate.family,
       latest.family IS NOT NULL
FROM duplicate JOIN identity_family USING (family)
CROSS JOIN LATERAL (SELECT {lives_on("$9")} AS lives_in) AS today
JOIN claims ON kind = 'person' AND claims.token = duplicate.token
LEFT JOIN latest ON latest.token = duplicate.token
WHERE (latest.family IS NOT NULL) = $2 AND ($3::uuid IS NULL OR duplicate.family = $3)
  AND EXISTS (SELECT FROM duplicate AS other
              WHERE other.token = duplicate.token AND other.family <> duplicate.family)
  AND EXISTS (SELECT FROM unnest($4::text[], $5::text[]) AS r (low, high)
              WHERE lives_in COLLATE "C" >= low AND lives_in COLLATE "C" < high)
  AND ($6::uuid IS NULL OR (duplicate.family, member) > ($6, $7))
ORDER BY duplicate.family, member LIMIT $8
"""  # noqa: S608 - of texts that stand here


class Holder(NamedTuple):
    """The stream of the family that has a person, and whether two people decided that."""

    stream: str
    decided: bool


class Duplicate(NamedTuple):
    """A member whom another family names too, and whether they count here."""

    family: UUID
    member: int
    region: str
    counts_here: bool
    decided: bool


async def keep_persons(unit: Transaction, outcomes: Sequence[Outcome[Family, Event]]) -> None:
    """Keep whose each person is, in the transaction of the events: who named them first, who named
    them too, and for whom two people decided."""
    named: list[tuple[str, Outcome[Family, Event]]] = []
    for outcome in outcomes:
        for event in outcome.events:
            match event:
                case PersonsRegistered():
                    named += [(token, outcome) for token in event.persons]
                case PersonAdjudicated():
                    decided = event.token, outcome.state.family, unit.block
                    await unit.connection.execute(_DECIDED, *decided)
                case _:
                    pass  # says nothing of whose a person is
    if named:
        firsts = {token: outcome.stream_id for token, outcome in reversed(named)}
        await _keep_duplicates(unit, named, await unit.claim("person", firsts))


async def _keep_duplicates(
    unit: Transaction,
    named: Iterable[tuple[str, Outcome[Family, Event]]],
    firsts: Mapping[str, str],
) -> None:
    again = [(t, outcome.state) for t, outcome in named if firsts[t] != outcome.stream_id]
    loaded = await unit.load(FAMILY, sorted({firsts[token] for token, _ in again}))
    pairs = [(token, loaded[firsts[token]].state) for token, _ in again] + again
    rows = [
        (state.family, holder.member, token)
        for token, state in pairs
        if (holder := state.holder_of(token)) is not None
    ]
    if rows:
        await unit.connection.execute(_NAMED, *zip(*rows, strict=True))


async def holders(
    unit: Transaction, tokens: Collection[str], cut: int | None = None
) -> dict[str, Holder]:
    """{token: holder} of the persons whom families have: now, or as decided by a cut.

    A decision counts from its position on. A first naming has none, and needs none: one that
    stands against a member is older than the member.
    """
    rows = await unit.connection.fetch(_HOLDERS, cut, list(tokens))
    return {row["token"]: Holder(row["stream"], row["decided"]) for row in rows}


async def holders_regions(unit: Transaction, tokens: Collection[str]) -> list[str]:
    """The regions where the families that have these persons now live today."""
    families = {h.stream.removeprefix("family-") for h in (await holders(unit, tokens)).values()}
    rows = await unit.connection.fetch(_REGIONS, sorted(families), unit.context.at.date())
    return [row["region"] for row in rows]


async def persons_of(
    unit: Transaction, families: Mapping[str, Family], cut: int | None = None
) -> dict[str, Persons]:
    """Whom of the members of each family another one has, and who is decided, as of a cut."""
    tokens = [member.token for state in families.values() for member in state.members]
    found = await holders(unit, tokens, cut)
    return {
        family: _persons(f"family-{family}", state, found) for family, state in families.items()
    }


def _persons(stream: str, state: Family, found: Mapping[str, Holder]) -> Persons:
    held = [(m.member, found[m.token]) for m in state.members if m.token in found]
    return Persons(
        frozenset(member for member, holder in held if holder.stream != stream),
        frozenset(member for member, holder in held if holder.decided),
    )


async def duplicates(
    unit: Transaction,
    decided: bool,
    family: UUID | None,
    regions: Sequence[str],
    after: tuple[UUID, int] | None,
    limit: int,
) -> list[Duplicate]:
    """At most `limit` members behind one, of families of some regions, whom another family names
    too: those of whom two people have decided, or the others."""
    rows = await unit.connection.fetch(
        _PAGE,
        *(None, decided, family),
        *region_ranges(regions),
        *(after or (None, None)),
        *(limit, unit.context.at.date()),
    )
    return [Duplicate(*row) for row in rows]
