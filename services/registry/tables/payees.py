"""Whom families' money goes to, and where, as tokens; and who of a list would share that.

`payee_of` keeps every payee that a family ever had: a list looks at a family as of its cut,
whatever was reported since. So who may share is found by tokens, and who does by the family as of
the cut (`listing_payee`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.registry.domain.family import events
from services.registry.domain.family.state import Family

Shared: TypeAlias = Literal["SHARED_ACCOUNT", "SHARED_PAYEE"]

_KEEP: Final = """
INSERT INTO payee_of (family, payee, account, latest) SELECT $1::uuid, $2, $3, $4
WHERE NOT EXISTS (SELECT FROM erasure WHERE erasure.family = $1 AND state <> 'PROPOSED')
ON CONFLICT (family, payee, account) DO NOTHING
"""
_LATEST: Final = "UPDATE payee_of SET latest = (payee = $2 AND account = $3) WHERE family = $1"
_UNKNOWN: Final = """
SELECT DISTINCT family::text FROM payee_of WHERE NOT account_known AND family > $1
ORDER BY 1 LIMIT $2
"""
_UNKNOWN_AMONG: Final = """
SELECT DISTINCT family::text FROM payee_of WHERE NOT account_known AND family = ANY($1::uuid[])
"""
_FORGET: Final = "DELETE FROM payee_of WHERE family = ANY($1::uuid[])"
# Each family shares its own tokens with itself; the first two steps leave those of one family out.
_MAY_SHARE: Final = """
WITH accounts AS MATERIALIZED (
    SELECT account FROM payee_of
    WHERE account IN (SELECT account FROM payee_of WHERE family = ANY($2::uuid[]))
      AND account <> ''
    GROUP BY account HAVING count(DISTINCT family) > 1
), payees AS MATERIALIZED (
    SELECT payee FROM payee_of
    WHERE payee IN (SELECT payee FROM payee_of WHERE family = ANY($2::uuid[]))
    GROUP BY payee HAVING count(DISTINCT family) > 1
)
SELECT family::text FROM payee_of WHERE account IN (SELECT account FROM accounts)
UNION
SELECT family::text FROM payee_of WHERE payee IN (SELECT payee FROM payees)
EXCEPT
SELECT family::text FROM listing_payee WHERE tahap = $1
ORDER BY 1 LIMIT $3
"""
_LOOKED_AT: Final = """
INSERT INTO listing_payee (tahap, family, payee, account)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[])
ON CONFLICT (tahap, family) DO UPDATE SET payee = excluded.payee, account = excluded.account
"""
_SHARING: Final = """
SELECT family::text, CASE
    WHEN account <> '' AND EXISTS (
        SELECT FROM listing_payee AS other
        WHERE other.tahap = $1 AND other.account = own.account AND other.family <> own.family
    ) THEN 'SHARED_ACCOUNT'
    WHEN payee <> '' AND EXISTS (
        SELECT FROM listing_payee AS other
        WHERE other.tahap = $1 AND other.payee = own.payee AND other.family <> own.family
    ) THEN 'SHARED_PAYEE' END AS reason
FROM listing_payee AS own WHERE tahap = $1 AND family = ANY($2::uuid[])
"""


class Tokens(NamedTuple):
    """A payee and an account, by their tokens; an empty one is none."""

    payee: str
    account: str


NOBODY: Final = Tokens("", "")


async def keep_payees(unit: Transaction, outcomes: Iterable[Outcome[Family, events.Event]]) -> None:
    """Keep whom handled families' events have the money go to."""
    payees: list[tuple[str, str, str, bool]] = []
    latest: list[tuple[str, str, str]] = []
    for outcome in outcomes:
        family = outcome.stream_id.removeprefix("family-")
        for event in outcome.events:
            match event:
                case events.FamilyRegistered(row=row):
                    payees.append((family, row.payee_token, row.account_token, True))
                case events.PayeeChanged():
                    payees.append((family, event.payee_token, event.account_token, False))
                    # Reported out of order it is not the last: that is the state's.
                    last = outcome.state.payees[-1].payee
                    latest.append((family, last.token, last.account_token))
                case _:
                    pass  # says nothing of whom the money goes to
    for statement, rows in ((_KEEP, payees), (_LATEST, latest)):
        if rows:
            await unit.connection.executemany(statement, rows)


async def accounts_unknown(unit: Transaction, after: str, limit: int) -> list[str]:
    """The next families behind one that have an account without a token."""
    rows = await unit.connection.fetch(_UNKNOWN, after, limit)
    return [row["family"] for row in rows]


async def unknown_among(unit: Transaction, families: Sequence[str]) -> set[str]:
    """Those of some families that have an account without a token."""
    rows = await unit.connection.fetch(_UNKNOWN_AMONG, families)
    return {row["family"] for row in rows}


async def replace_payees(unit: Transaction, payees: Mapping[str, Sequence[Tokens]]) -> None:
    """Keep all payees that families ever had, the latest of each last, in the place of what stood
    there."""
    await unit.connection.execute(_FORGET, list(payees))
    rows = [
        (family, *tokens, tokens == theirs[-1])
        for family, theirs in payees.items()
        for tokens in dict.fromkeys(theirs)
    ]
    await unit.connection.executemany(_KEEP, rows)


async def may_share(
    unit: Transaction, tahap: str, families: Sequence[str], limit: int
) -> list[str]:
    """The next families, of some and of all others, that have ever had a payee or an account of
    these as well, and that the list has not looked at."""
    rows = await unit.connection.fetch(_MAY_SHARE, tahap, families, limit)
    return [row["family"] for row in rows]


async def keep_looked_at(unit: Transaction, tahap: str, paid: Mapping[str, Tokens]) -> None:
    """Keep whom the list would pay for each of these families; `NOBODY` where nobody."""
    payees = [tokens.payee for tokens in paid.values()]
    accounts = [tokens.account for tokens in paid.values()]
    await unit.connection.execute(_LOOKED_AT, tahap, list(paid), payees, accounts)


async def sharing(unit: Transaction, tahap: str, families: Sequence[str]) -> dict[str, Shared]:
    """{family: reason} of those of some families that the list would pay where, or whom, it would
    pay for another family too."""
    rows = await unit.connection.fetch(_SHARING, tahap, families)
    return {row["family"]: row["reason"] for row in rows if row["reason"]}


async def forget_looked_at(unit: Transaction, tahap: str) -> None:
    """The list is cancelled: who is listed by its next revision is looked at anew."""
    await unit.connection.execute("DELETE FROM listing_payee WHERE tahap = $1", tahap)
