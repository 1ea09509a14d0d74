"""The change of the key-encryption key: keys are wrapped again, and the old one is retired.

Both versions stand in the file of every process first; then the new one is in use at the service
that makes the keys, whose leader wraps them all again; then the old one is taken out of the files,
which retires it. Families' keys are registry's, and a service with keys of its own changes the key
that wraps them by itself: `pool` leads to the tables of the one or the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import asyncpg
import structlog

from libs.privacy.errors import KeyMistaken, KeyNeeded, KeyRetired, WrapBroken
from libs.privacy.keys import Pool
from libs.privacy.versions import KeyVersions
from libs.privacy.wrapping import Wrapper

KEK: Final = "kek"
KEYS_PER_STEP_MAX: Final = 500
KEYS_TRIED_MAX: Final = 5
"""Of each version, how many keys are opened at a start."""

_OLDER: Final = """
SELECT family::text, version, wrapped FROM keys
WHERE wrapped IS NOT NULL AND kek_of(wrapped) = $1 AND (family, version) > ($2::uuid, $3)
ORDER BY family, version LIMIT $4
"""
# The eraser writes what it never reads: an erased key stays erased, whoever was first.
_REPLACE: Final = """
UPDATE keys SET wrapped = again.wrapped
FROM unnest($1::uuid[], $2::integer[], $3::bytea[]) AS again (family, version, wrapped)
WHERE keys.family = again.family AND keys.version = again.version AND keys.destroyed_at IS NULL
"""
# From one version to the next by the index, however many keys stand between.
_UNDER: Final = """
WITH RECURSIVE found AS (
    SELECT min(kek_of(wrapped)) AS kek FROM keys WHERE wrapped IS NOT NULL
    UNION ALL
    SELECT (SELECT min(kek_of(wrapped)) FROM keys
            WHERE wrapped IS NOT NULL AND kek_of(wrapped) > found.kek)
    FROM found WHERE found.kek IS NOT NULL
)
SELECT kek FROM found WHERE kek IS NOT NULL
"""
_SOME: Final = """
SELECT family::text, version, wrapped FROM keys
WHERE wrapped IS NOT NULL AND kek_of(wrapped) = $1 ORDER BY family LIMIT $2
"""
_COUNTS: Final = """
SELECT kek_of(wrapped) AS kek, count(*) AS keys FROM keys WHERE wrapped IS NOT NULL GROUP BY 1
"""
_RETIRED: Final = "SELECT coalesce(max(up_to), 0) FROM retired WHERE kind = $1"
_RETIRE: Final = """
INSERT INTO retired (kind, up_to) VALUES ($1, $2)
ON CONFLICT (kind) DO UPDATE SET up_to = excluded.up_to, at = now()
WHERE retired.up_to < excluded.up_to
"""
_NOBODY: Final = "00000000-0000-0000-0000-000000000000", 0

log = structlog.get_logger("keys")


# -- Wrapping again -------------------------------------------------------------------------------


@dataclass(slots=True)
class Rewrapper:
    """Wraps families' keys again that are under an older version than the one in use.

    Killed at any moment it goes on where it was, as what is done is no longer under the old one.
    `reads` may see keys, under registry's role; `writes` may end and replace them, and see none.
    """

    reads: Pool
    writes: Pool
    wrapper: Wrapper
    _after: tuple[str, int] = _NOBODY

    async def step(self) -> bool:
        """The next keys; answers whether any was. What does not open stays, and is told."""
        kek = self.wrapper.kek
        for old in (version for version in kek.numbers if version < kek.in_use):
            rows = await self.reads.fetch(_OLDER, old, *self._after, KEYS_PER_STEP_MAX)
            if rows:
                self._after = rows[-1]["family"], rows[-1]["version"]
                return await self._replace(rows)
        self._after = _NOBODY
        return False

    async def _replace(self, rows: list[asyncpg.Record]) -> bool:
        again = await self.wrapper.beside(self._again, rows)
        if again:
            await self.writes.execute(_REPLACE, *map(list, zip(*again, strict=True)))
        return bool(again)

    def _again(self, rows: list[asyncpg.Record]) -> list[tuple[str, int, bytes]]:
        again = []
        for family, version, wrapped in rows:
            try:
                new = wrapped_again(self.wrapper, family, version, wrapped)
                again.append((family, version, new))
            except WrapBroken:
                log.warning("a key does not open, and stays as it is", family=family)
        return again


def wrapped_again(wrapper: Wrapper, family: str, version: int, wrapped: bytes) -> bytes:
    """A stored key under the key-encryption key in use; `WrapBroken` unless it opens as before."""
    secret = wrapper.unwrap(family, version, wrapped)
    again = wrapper.wrap(family, version, secret)
    if wrapper.unwrap(family, version, again) != secret:
        raise WrapBroken(family=family, version=version, kek=wrapper.kek.in_use)
    return again


async def keys_under(pool: Pool) -> dict[int, int]:
    """{version of the key-encryption key: how many keys are under it}."""
    return {row["kek"]: row["keys"] for row in await pool.fetch(_COUNTS)}


# -- Out of use -----------------------------------------------------------------------------------


async def retired_up_to(pool: Pool, kind: str) -> int:
    """The last version of a key that is out of use for good, 0 where none is."""
    up_to: int = await pool.fetchval(_RETIRED, kind)
    return up_to


async def still_in_use(pool: Pool, kind: str, versions: KeyVersions) -> KeyVersions:
    """The versions of a file that are not retired; `KeyRetired` where the one in use is."""
    up_to = await retired_up_to(pool, kind)
    if versions.in_use <= up_to:
        raise KeyRetired(kind=kind, version=versions.in_use)
    left = {version: secret for version, secret in versions.secrets.items() if version > up_to}
    labels = {version: label for version, label in versions.labels.items() if version > up_to}
    return replace(versions, secrets=left, labels=labels)


async def ensure_retired(pool: Pool, kind: str, versions: KeyVersions) -> None:
    """Raise `KeyNeeded` where a file lacks an older version that nobody has retired yet."""
    oldest = versions.numbers[0]
    if oldest - 1 > await retired_up_to(pool, kind):
        raise KeyNeeded(kind=kind, version=oldest - 1)


async def ensure_all_open(pool: Pool, wrapper: Wrapper) -> None:
    """Raise where keys that are stored do not open with those of the file.

    `KeyNeeded` where it lacks a version that some are under; `KeyMistaken` where its secret of a
    version is another one, as in the file of another service; `ModuleSilent`.
    """
    kek = wrapper.kek
    for (version,) in await pool.fetch(_UNDER):
        if version not in kek.numbers:
            raise KeyNeeded(kind=KEK, version=version)
        some = await pool.fetch(_SOME, version, KEYS_TRIED_MAX)
        # Fewer under an older version may be what a rewrap left because it is broken: each of
        # those is withheld by itself, and keeps nobody from starting.
        judged = version == kek.in_use or len(some) == KEYS_TRIED_MAX
        if judged and not await wrapper.beside(_any_opens, wrapper, some):
            raise KeyMistaken(kind=KEK, version=version)


def _any_opens(wrapper: Wrapper, rows: list[asyncpg.Record]) -> bool:
    for family, version, wrapped in rows:
        try:
            wrapper.unwrap(family, version, wrapped)
        except WrapBroken:
            continue
        return True
    return False


async def retire_older(pool: Pool, kind: str, versions: KeyVersions) -> None:
    """All versions older than those of the file are out of use from now on, for everybody."""
    oldest = versions.numbers[0]
    if oldest > 1:
        await pool.execute(_RETIRE, kind, oldest - 1)
