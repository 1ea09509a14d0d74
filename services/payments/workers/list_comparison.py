"""A list beside the last one that was frozen, read together in order of family.

What is sealed anew is opened at this edge, because a text that was sealed twice differs: only of
families whose sealed account or payee is another text, in memory, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from libs.events.store.transaction import Transaction
from libs.privacy.errors import PrivacyError
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.payments.contract import TAHAP
from services.payments.domain.entitlement import BenefitTable
from services.payments.domain.list_diff import (
    CHANGES,
    SHARED,
    Change,
    DiffDigest,
    ListDiff,
    Standing,
    difference,
)
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.state import TahapState
from services.payments.tables.list_diffs import ShownDiff, keep_diff
from services.payments.tables.list_lines import NOBODY, ListedLine, complete_lines

BEHIND_ALL: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Range:
    """The lines of a list, and of the last frozen one, of the families up to one."""

    now: list[ListedLine]
    then: list[ListedLine]
    upto: str


@dataclass(frozen=True, slots=True)
class FrozenBefore:
    """The last tahap whose list is frozen, without those who were deferred and are not on a frozen
    list of it since."""

    state: TahapState
    table: BenefitTable
    without: tuple[str, ...]

    async def lines(
        self, unit: Transaction, after: str, among: Sequence[str] | None, limit: int
    ) -> list[ListedLine]:
        """The next lines behind a family. One that was altered since stops no other list: it has no
        hash, and whatever stands there now differs."""
        return await complete_lines(
            *(unit, self.state.tahap),
            after=after,
            among=among,
            without=self.without,
            limit=limit,
            strict=False,
        )


async def last_frozen(unit: Transaction, tahap: str) -> TahapState | None:
    """The last tahap before this one whose regular list is frozen; a cancelled one has none."""
    for name in sorted(await unit.names_of("tahap"), reverse=True):
        if name < tahap:
            stream = TAHAP.stream(name)
            state = (await unit.load(TAHAP, [stream]))[stream].state
            regular = state.list_of(REGULAR)
            if regular is not None and regular.frozen is not None:
                return state
    return None


def unfrozen_of(state: TahapState) -> tuple[str, ...]:
    """The families of a tahap that no frozen list of it has."""
    waiting = [lines.families for lines in state.lists if lines.frozen is None]
    return tuple(sorted({*state.outstanding, *(family for own in waiting for family in own)}))


async def beside(
    unit: Transaction,
    tahap: str,
    among: Sequence[str] | None,
    missing: Sequence[str],
    before: FrozenBefore | None,
    chunk: int,
) -> AsyncGenerator[Range, None]:
    """Every complete line of a list with the last frozen one's, range by range in order of family;
    a chunk of each is in memory at a time."""
    after = NOBODY
    while after < BEHIND_ALL:
        now = await complete_lines(
            unit, tahap, after=after, among=among, without=missing, limit=chunk
        )
        then = await before.lines(unit, after, among, chunk) if before else []
        # As far as both are read: behind a full chunk's last family there may be more of it.
        ends = [lines[-1].family for lines in (now, then) if len(lines) == chunk]
        after = min(ends, default=BEHIND_ALL)
        yield Range(_upto(after, now), _upto(after, then), after)


def _upto(last: str, lines: Iterable[ListedLine]) -> list[ListedLine]:
    return [line for line in lines if line.family <= last]


@dataclass(slots=True)
class Comparison:
    """The differences of a list that is being read from the last frozen one."""

    keys: KeyRing
    digest: DiffDigest
    shared: Mapping[str, Change]
    """Families that the registry withheld because they share an account or a payee."""
    _reached: str = NOBODY

    async def add(self, now: Iterable[Standing], then: Iterable[Standing], upto: str) -> None:
        """Take in the families up to one."""
        after, self._reached = self._reached, upto
        new = {standing.family: standing for standing in now}
        old = {standing.family: standing for standing in then}
        shared = {family for family in self.shared if after < family <= upto}
        await self._open(old, new)
        for family in sorted(new.keys() | old.keys() | shared):
            found = difference(family, old.get(family), new.get(family), self.shared.get(family))
            if found is not None:
                self.digest.add(found)

    async def _open(self, old: dict[str, Standing], new: dict[str, Standing]) -> None:
        """Have what was sealed anew in clear, where both texts open."""
        resealed = [
            family
            for family in sorted(new.keys() & old.keys())
            if (old[family].account, old[family].payee) != (new[family].account, new[family].payee)
        ]
        if not resealed:
            return
        sealer = Sealer(await self.keys.fetch_each(resealed))
        for family in resealed:
            try:
                opened = [_opened(sealer, standings[family]) for standings in (old, new)]
            except PrivacyError:
                continue  # it differs, as far as anybody can tell
            old[family], new[family] = opened

    async def end(self, unit: Transaction) -> ListDiff:
        """The differences, kept as they are shown."""
        result, digest = self.digest.result(), self.digest
        shown = ShownDiff(tuple(digest.shown), tuple(digest.largest()))
        await keep_diff(unit, digest.tahap, digest.kind, result.hash, shown)
        return result


def standing_of(line: ListedLine, rupiah: int) -> Standing:
    """A listed family as it is compared."""
    roster = line.roster
    return Standing(
        family=line.family,
        region=roster.region,
        account=f"{roster.bank} {roster.account_no}" if line.source else "",
        payee=roster.payee_nik or "",
        members=frozenset(member.token for member in roster.members),
        rupiah=rupiah,
    )


def _opened(sealer: Sealer, standing: Standing) -> Standing:
    bank, _, number = standing.account.partition(" ")
    clear = sealer.unseal(standing.family, "account_no", number)
    payee = sealer.unseal(standing.family, "payee_nik", standing.payee)
    return replace(standing, account=f"{bank} {clear}", payee=payee)


def shared_of(withheld: Mapping[str, str]) -> dict[str, Change]:
    """Those of withheld families that share an account or a payee."""
    reasons: dict[str, Change] = {change: change for change in CHANGES if change in SHARED}
    return {family: reasons[why] for family, why in sorted(withheld.items()) if why in reasons}
