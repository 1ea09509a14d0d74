"""The key ring: makes, fetches and destroys the keys of families, a thousand at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from typing import TypeAlias

import asyncpg

from libs.privacy.errors import KeyDestroyed, KeyMissing, WrapBroken
from libs.privacy.sealing import FamilyKey
from libs.privacy.versions import KEY_BYTES, KeyVersions
from libs.privacy.wrapping import Module, Wrapper

FAMILIES_PER_STATEMENT_MAX = 1_000
CACHE_TTL_S = 45.0
CACHE_TTL_S_MAX = 300.0  # how long a destroyed key may still open something, anywhere
CACHED_FAMILIES_MAX = 10_000

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_INSERT = """
INSERT INTO keys (family, version, wrapped)
SELECT family, 1, wrapped FROM unnest($1::uuid[], $2::bytea[]) AS new (family, wrapped)
ON CONFLICT (family, version) DO NOTHING
"""
_SELECT = "SELECT family::text, version, wrapped FROM keys WHERE family = ANY($1::uuid[])"
_DESTROY = """
UPDATE keys SET wrapped = NULL, destroyed_at = now()
WHERE family = $1::uuid AND destroyed_at IS NULL
"""
_DESTROYED = "SELECT DISTINCT family::text FROM keys WHERE destroyed_at IS NOT NULL"


class KeyRing:
    """The keys of families, in a database of their own.

    `pool` runs under the caller's role there: registry may create and fetch, payments fetch, the
    eraser destroy; the database refuses the rest. `kek` is the key-encryption key, of which
    versions may stand in `module`. Family ids are
    UUIDs in lower case. Keys that were used lately stay in memory for `ttl_s` seconds, at
    most `cached_max` families; so a destroyed key is unreadable everywhere after `ttl_s`.
    """

    def __init__(
        self,
        pool: Pool,
        kek: KeyVersions,
        *,
        module: Module | None = None,
        ttl_s: float = CACHE_TTL_S,
        cached_max: int = CACHED_FAMILIES_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pool = pool
        self.wrapper = Wrapper(kek, module)
        self._cache = _Cache(ttl_s, cached_max, clock)

    def unremembered(self) -> KeyRing:
        """The same keys, each of them fetched whenever it is asked for."""
        ring = copy(self)
        ring._cache = _Cache(0.0, 0, time.monotonic)  # noqa: SLF001 - of its own kind
        return ring

    async def create(self, families: Iterable[str]) -> dict[str, FamilyKey]:
        """The keys of these families, made where there were none, and committed on return.

        So no event can be stored whose key a crash took away. Calling it again, or from two
        processes at once, answers the same keys. A family that was erased is never given a new
        one: `KeyDestroyed`.
        """
        wanted = list(families)
        await self.make(wanted)
        return await self.fetch(wanted)

    async def make(self, families: Iterable[str]) -> None:
        """Make keys for those of these families that never had one; committed on return."""
        wanted = list(dict.fromkeys(families))
        # Sorted, so that two creators of the same families wait for each other, not in a circle.
        for part in _parts(sorted(set(wanted) - self._cache.alive(wanted).keys())):
            await self.pool.execute(_INSERT, part, await self.wrapper.beside(self._wrapped, part))

    async def fetch(self, families: Iterable[str]) -> dict[str, FamilyKey]:
        """The keys of these families, in their order.

        Raises `KeyDestroyed` when one of them was erased, `KeyMissing` when one never had a key.
        """
        wanted = list(families)
        keys = await self.fetch_each(wanted)
        if missing := [family for family in wanted if family not in keys]:
            raise KeyMissing(families=len(missing), first=missing[0])
        for key in keys.values():
            if not key.secrets:
                raise KeyDestroyed(family=key.family)
        return keys

    async def fetch_each(self, families: Iterable[str]) -> dict[str, FamilyKey]:
        """Fetch as `fetch` does, for who works on many families and lets none hold up the others.

        A destroyed key is among the answers without secrets, one that never was or that cannot be
        unwrapped is not; a `Sealer` raises `KeyDestroyed` or `KeyMissing` when it is used. Raises
        `WrapBroken` where not one of the stored keys can be unwrapped.
        """
        wanted = list(dict.fromkeys(families))
        keys = self._cache.alive(wanted)
        for part in _parts([family for family in wanted if family not in keys]):
            found = await self.wrapper.beside(self._opened, await self.pool.fetch(_SELECT, part))
            self._cache.keep(found)
            keys.update(found)
        return {family: keys[family] for family in wanted if family in keys}

    async def destroy(self, family: str) -> bool:
        """Destroy all versions of a family's key; False when there was none left to destroy.

        Nothing brings it back. Other processes forget it within their `ttl_s`. After a restore of
        the key database every erasure since the backup is to be repeated before it opens.
        """
        status = await self.pool.execute(_DESTROY, family)
        self._cache.forget(family)
        return status != "UPDATE 0"

    async def destroyed(self) -> set[str]:
        """The families whose key is destroyed; the eraser's role may ask too."""
        rows = await self.pool.fetch(_DESTROYED)
        return {row["family"] for row in rows}

    def _wrapped(self, families: Sequence[str]) -> list[bytes]:
        return [self.wrapper.wrap(family, 1, os.urandom(KEY_BYTES)) for family in families]

    def _opened(self, rows: Sequence[asyncpg.Record]) -> dict[str, FamilyKey]:
        secrets: dict[str, dict[int, bytes]] = {}
        newest: dict[str, int] = {}
        broken: dict[str, WrapBroken] = {}
        for family, version, wrapped in rows:
            opened = secrets.setdefault(family, {})
            newest[family] = max(version, newest.get(family, 0))
            try:
                if wrapped is not None:
                    opened[version] = self.wrapper.unwrap(family, version, wrapped)
            except WrapBroken as error:
                broken[family] = error
        if broken and len(broken) == len(secrets):
            raise next(iter(broken.values()))  # it is the key-encryption key that is another
        return {
            family: FamilyKey(family, newest[family], opened)
            for family, opened in secrets.items()
            if family not in broken
        }


class _Cache:
    """Living keys by family, each for a while; the ones fetched first leave first."""

    def __init__(self, ttl_s: float, cached_max: int, clock: Callable[[], float]) -> None:
        if not 0 <= ttl_s <= CACHE_TTL_S_MAX:
            raise ValueError(f"A key is cached for at most {CACHE_TTL_S_MAX:.0f} s")
        self._ttl_s, self._cached_max, self._clock = ttl_s, cached_max, clock
        self._cached: dict[str, tuple[float, FamilyKey]] = {}

    def alive(self, families: Iterable[str]) -> dict[str, FamilyKey]:
        oldest = self._clock() - self._ttl_s
        while self._cached and (first := next(iter(self._cached.items())))[1][0] <= oldest:
            del self._cached[first[0]]  # in order of fetching, so what is left is young enough
        return {family: self._cached[family][1] for family in families if family in self._cached}

    def keep(self, keys: Mapping[str, FamilyKey]) -> None:
        now = self._clock()
        for family, key in keys.items():
            if key.secrets:
                self._cached.pop(family, None)
                self._cached[family] = (now, key)
        excess = max(0, len(self._cached) - self._cached_max)
        for family in list(islice(self._cached, excess)):
            del self._cached[family]

    def forget(self, family: str) -> None:
        self._cached.pop(family, None)


def _parts(families: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(families), FAMILIES_PER_STATEMENT_MAX):
        yield list(families[start : start + FAMILIES_PER_STATEMENT_MAX])
