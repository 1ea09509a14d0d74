"""Numbers of persons, cards and accounts keep one token while the token key is changed.

A token that was stored stays: it names streams and stands in hash chains. A newer version of the
key finds it by `stands_for`, a table in the database of the keys that all who recognise share. New
numbers have their rows from whoever first asks for them; registry makes those of all others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from libs.privacy.errors import KeyNeeded
from libs.privacy.keys import Pool
from libs.privacy.pseudonyms import Pseudonymizer, rows_key
from libs.privacy.versions import KeyVersions

TOKEN: Final = "token"  # noqa: S105 - the name of a key

_FIRST: Final = "SELECT token, first FROM stands_for WHERE token = ANY($1)"
# In order of token, so that two who name the same numbers wait for each other, not in a circle.
_KEEP: Final = """
INSERT INTO stands_for (token, version, first)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[]) AS new (token)
ORDER BY token COLLATE "C"
ON CONFLICT (token) DO NOTHING
"""
_FORGET: Final = """
DELETE FROM stands_for WHERE token IN (
    SELECT token FROM stands_for
    WHERE version <= (SELECT coalesce(max(up_to), 0) FROM retired WHERE kind = $1) LIMIT $2)
"""
FORGOTTEN_PER_STEP_MAX: Final = 5_000


class Recognition:
    """Knows numbers by all versions of the token key; `pool` is on the database of the keys.

    Under a key that was never changed nothing is looked up.
    """

    def __init__(self, versions: KeyVersions, pool: Pool) -> None:
        """Raises `KeyNeeded` where the file has lost what fingerprints are made with."""
        first = versions.secrets.get(1)
        rows = versions.rows or (rows_key(first) if first else None)
        if rows is None:
            raise KeyNeeded(kind=TOKEN, version=1)
        self._pool, self._rows = pool, rows
        self._by = {
            version: Pseudonymizer(secret, rows)
            for version, secret in sorted(versions.secrets.items())
        }
        self.versions, self.newest = versions, max(self._by)
        self.fingerprint = self._by[self.newest].fingerprint

    @property
    def newer(self) -> list[int]:
        """The versions but for the oldest, under which what is stored has to be made known."""
        return list(self._by)[1:]

    async def of(
        self,
        *,
        niks: Iterable[str] = (),
        cards: Iterable[str] = (),
        accounts: Iterable[tuple[str, str]] = (),
        rows: Iterable[str] = (),
        keep: bool = True,
    ) -> Pseudonymizer:
        """A pseudonymizer for these numbers, accounts with their bank, and fingerprints of rows
        without a number. What is no number is passed over; it knows no other. A look-up, after
        which nothing is stored, need not `keep` what nobody has."""
        if self.newest == 1:
            return self._by[1]
        asked = _Asked(list(niks), list(cards), list(accounts), list(rows))
        tokens = {version: asked.tokens(by) for version, by in self._by.items()}
        found = await self._found(chain.from_iterable(tokens.values()))
        new: dict[str, tuple[int, str]] = {}
        for number in zip(*tokens.values(), strict=True):
            first = next((found[token] for token in number if token in found), number[0])
            for version, token in zip(tokens, number, strict=True):
                if version > 1 and token not in found:
                    new[token] = version, first
        if new and keep:
            await self._keep(new)
            found |= await self._found(new)  # who was before us with a number decides
        firsts = {token: first for token, (_, first) in new.items()} | found
        return Pseudonymizer(self.versions.secrets[self.newest], self._rows, firsts)

    async def forget(self) -> bool:
        """Forget tokens of retired versions, by which who has an old key would find the first ones;
        answers whether there were any. Registry's role may."""
        status = await self._pool.execute(_FORGET, TOKEN, FORGOTTEN_PER_STEP_MAX)
        return status != "DELETE 0"

    async def _found(self, tokens: Iterable[str]) -> dict[str, str]:
        rows = await self._pool.fetch(_FIRST, list(set(tokens)))
        return {row["token"]: row["first"] for row in rows}

    async def _keep(self, rows: Mapping[str, tuple[int, str]]) -> None:
        versions, firsts = map(list, zip(*rows.values(), strict=True))
        await self._pool.execute(_KEEP, list(rows), versions, firsts)


class _Asked(NamedTuple):
    """The numbers that somebody asks for, as they are written."""

    niks: list[str]
    cards: list[str]
    accounts: list[tuple[str, str]]
    rows: list[str]

    def tokens(self, by: Pseudonymizer) -> list[str]:
        """The token of each that is a number; in the same order under every key."""
        makers: list[Callable[[], str]] = [
            *(partial(by.nik, nik) for nik in self.niks),
            *(partial(by.card, card) for card in self.cards),
            *(partial(by.account, *account) for account in self.accounts),
            *(partial(by.nameless, row) for row in self.rows),
        ]
        tokens = []
        for make in makers:
            with contextlib.suppress(ValueError):
                tokens.append(make())
        return tokens
