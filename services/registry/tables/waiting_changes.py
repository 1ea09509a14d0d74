"""Changes that wait for a second person, with what a page of them is found by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events import telemetry
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from services.registry.domain.family import events
from services.registry.domain.family.state import Family
from services.registry.tables.identity_rows import lives_on

Kind: TypeAlias = Literal[
    "PAYEE_CHANGE",
    "ADMISSION",
    "BIRTH",
    "SCHOOL_CHANGE",
    "PREGNANCY",
    "MOVE",
    "NIK",
    "ADJUDICATION",
    "GROUP",
]
Key: TypeAlias = tuple[UUID, int]
"""A family, and the number of a change within it."""

_KINDS: Final = dict(
    zip(
        (
            *(events.PayeeChanged, events.MembersRegistered, events.MemberBorn),
            *(events.SchoolChanged, events.PregnancyReported, events.FamilyMoved),
            *(events.NikRecorded, events.PersonAdjudicated, events.GroupAssigned),
        ),
        get_args(Kind),
        strict=True,
    )
)
_PROPOSED: Final = """
INSERT INTO change_waiting
    (family, change, kind, batch, maker, reported_on, receiver, payee, account, person)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
"""
_ENDED: Final = "DELETE FROM change_waiting WHERE family = $1 AND change = $2"
_COLUMNS: Final = f"""
WITH waiting AS (
    SELECT family, change, kind, batch, maker, reported_on, receiver,
           {lives_on("$1")} AS region, payee, account, person
    FROM change_waiting JOIN identity_family USING (family)
)
SELECT * FROM waiting
"""  # noqa: S608 - of texts that stand here
_PAGE: Final = f"""{_COLUMNS}
WHERE ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR batch = $3)
  AND ($4::text IS NULL OR maker = $4) AND ($5::uuid IS NULL OR family = $5)
  AND EXISTS (SELECT FROM unnest($6::text[], $7::text[]) AS r (low, high)
              WHERE (region COLLATE "C" >= low AND region COLLATE "C" < high)
                 OR (receiver COLLATE "C" >= low AND receiver COLLATE "C" < high))
  AND ($8::uuid IS NULL OR (family, change) > ($8, $9))
ORDER BY family, change LIMIT $10
"""
_THESE: Final = f"""{_COLUMNS}
JOIN unnest($2::uuid[], $3::int[]) AS wanted (family, change) USING (family, change)
ORDER BY family, change
"""
_SHARED: Final = """
SELECT token, count(DISTINCT family) AS families FROM (
    SELECT family, unnest(ARRAY['a' || account, 'p' || payee]) AS token FROM payee_of
    WHERE latest AND (account = ANY($1) OR payee = ANY($2))
    UNION ALL
    SELECT family, unnest(ARRAY['a' || account, 'p' || payee]) FROM change_waiting
    WHERE account = ANY($1) OR payee = ANY($2)
) AS used GROUP BY token
"""


class WaitingChange(NamedTuple):
    """A change that waits: where the family lives, and the region that receives it, if it moves.

    Tokens say who would be paid, on which account, and whose adjudication it is.
    """

    family: UUID
    change: int
    kind: Kind
    batch: str
    maker: str
    reported_on: date | None
    receiver: str | None
    region: str
    payee: str
    account: str
    person: str

    @property
    def decided_in(self) -> str:
        """The region whose people decide: of a move, the one that receives the family."""
        return self.receiver or self.region


async def keep_changes(
    unit: Transaction, outcomes: Iterable[Outcome[Family, events.Event]]
) -> None:
    """Keep which changes wait, in the transaction of their events."""
    proposed: list[tuple[object, ...]] = []
    ended: list[tuple[str, int]] = []
    for outcome in outcomes:
        family = outcome.stream_id.removeprefix("family-")
        for event in outcome.events:
            match event:
                case events.ChangeProposed():
                    proposed.append(_row(family, event))
                case events.ChangeApproved() | events.ChangeRejected() | events.ChangeWithdrawn():
                    ended.append((family, event.change))
                case _:
                    pass  # is no step of a change
    # A change that was proposed and taken back in one file has both.
    for statement, rows in ((_PROPOSED, proposed), (_ENDED, ended)):
        if rows:
            await unit.connection.executemany(statement, rows)


def _row(family: str, event: events.ChangeProposed) -> tuple[object, ...]:
    paid = event.payee_changed
    return (
        *(family, event.change, _KINDS[type(event.fact)], event.batch, event.maker),
        *(getattr(event.fact, "reported_on", None), event.receiver),
        *((paid.payee_token, paid.account_token) if paid else ("", "")),
        event.person_adjudicated.token if event.person_adjudicated else "",
    )


async def waiting_changes(
    unit: Transaction,
    kind: Kind | None,
    batch: str | None,
    maker: str | None,
    family: UUID | None,
    regions: Sequence[str],
    after: Key | None,
    limit: int,
) -> list[WaitingChange]:
    """At most `limit` changes behind one, of families that live in, or move to, these regions."""
    rows = await unit.connection.fetch(
        _PAGE,
        unit.context.at.date(),
        *(kind, batch, maker, family),
        *region_ranges(regions),
        *(after or (None, None)),
        limit,
    )
    return [WaitingChange(*row) for row in rows]


async def these_changes(unit: Transaction, keys: Collection[Key]) -> list[WaitingChange]:
    """Those of some changes that wait, in order."""
    families, changes = zip(*keys, strict=True)
    rows = await unit.connection.fetch(_THESE, unit.context.at.date(), families, changes)
    return [WaitingChange(*row) for row in rows]


async def families_paid(
    unit: Transaction, changes: Sequence[WaitingChange]
) -> Counter[tuple[str, str]]:
    """The number of families of each account ("a", token) and payee ("p", token) of changes, those
    that only wait for them included."""
    accounts = [change.account for change in changes if change.account]
    payees = [change.payee for change in changes if change.payee]
    rows = await unit.connection.fetch(_SHARED, accounts, payees)
    return Counter({(row["token"][0], row["token"][1:]): row["families"] for row in rows})


async def change_readings(store: Store) -> list[Sample]:
    """The gauges of changes that wait for a second person, by kind."""
    rows = await store.pool.fetch("SELECT kind, count(*) AS n FROM change_waiting GROUP BY kind")
    counts = dict.fromkeys(get_args(Kind), 0) | {row["kind"]: row["n"] for row in rows}
    return [Sample(telemetry.WAITING_CHANGES, n, (kind,)) for kind, n in counts.items()]
