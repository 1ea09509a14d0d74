"""The change of the token key: numbers that were stored are made known under its newer versions.

It follows the service's own log, so every number that ever came in is among them, and opens what is
sealed there. Of erased families nothing opens: nobody is recognised by what they were any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog

from libs.events.domain.personal import unopened
from libs.events.store.log import Recorded
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.workers.own_log import OwnLog
from libs.privacy.errors import KeyDestroyed, KeyNeeded, PrivacyError
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.recognition import TOKEN, Recognition
from libs.privacy.rotation import retire_older, retired_up_to
from libs.privacy.sealing import Sealer
from libs.privacy.versions import KeyVersions
from services.registry.contract import FAMILY, SERVICE
from services.registry.domain.family.events import (
    ChangeProposed,
    Event,
    FamilyRegistered,
    FamilyRow,
    MemberBorn,
    MemberRow,
    MembersRegistered,
    NikRecorded,
    PayeeChanged,
)

TOKEN_CHANGE: Final = "token-change"  # noqa: S105 - the name of a leader's work
WINDOW_EVENTS_MAX: Final = 500
NAMING: Final = (
    *(FamilyRegistered, MembersRegistered, MemberBorn, NikRecorded, PayeeChanged, ChangeProposed),
)
"""The events in which numbers stand, sealed."""

log = structlog.get_logger("keys")


@dataclass(slots=True)
class _Opened:
    """The numbers of some events in clear; it lives as long as they are made known."""

    niks: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    accounts: list[tuple[str, str]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)

    def add(self, sealer: Sealer, family: str, event: Event) -> None:
        """Open the numbers of an event; raises as `Sealer.unseal`."""
        for row in _rows(event):
            match row:
                case MemberRow() | MemberBorn() | NikRecorded():
                    nik = sealer.unseal(family, "nik", row.nik)
                    (self.niks if nik else self.rows).append(nik or row.fingerprint)
                case FamilyRow() | PayeeChanged():
                    self.niks.append(sealer.unseal(family, "payee_nik", row.payee_nik))
                    number = sealer.unseal(family, "account_no", row.account_no)
                    self.accounts.append((row.bank, number))
            if isinstance(row, FamilyRow):
                self.cards.append(sealer.unseal(family, "no_kk", row.card))


def _rows(
    event: Event,
) -> Iterator[FamilyRow | MemberRow | MemberBorn | NikRecorded | PayeeChanged]:
    match event.fact if isinstance(event, ChangeProposed) else event:
        case FamilyRegistered(row=row):
            yield row
        case MembersRegistered(rows=rows):
            yield from rows
        case MemberBorn() | NikRecorded() | PayeeChanged() as fact:
            yield fact
        case _:
            pass  # it names nobody by a number


@dataclass(frozen=True, slots=True)
class TokenChange:
    """Makes the numbers of the log known under all versions of the key, in order of position, and
    has tokens of retired ones forgotten."""

    store: Store
    keys: KeyRing
    recognition: Recognition

    async def step(self) -> bool:
        """The next window of the log, or the next tokens to forget; answers whether any was."""
        return await self._make_known() or await self.recognition.forget()

    async def _make_known(self) -> bool:
        if not self.recognition.newer:
            return False
        own, marks = _own_log(self.store), self.recognition.newer
        window = await own.next_window(await read_up_to(self.store, marks), WINDOW_EVENTS_MAX)
        if window is None:
            return False
        end, recorded = window
        numbers = await self._opened(recorded)
        await self.recognition.of(
            niks=numbers.niks, cards=numbers.cards, accounts=numbers.accounts, rows=numbers.rows
        )
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            await own.move(unit, {_mark(version): end for version in marks})
        return True

    async def _opened(self, recorded: Collection[Recorded]) -> _Opened:
        by_family = [(stored.stream_id.removeprefix("family-"), stored) for stored in recorded]
        sealer = Sealer(await self.keys.fetch_each(family for family, _ in by_family))
        numbers = _Opened()
        for family, stored in by_family:
            try:
                numbers.add(sealer, family, stored.event(FAMILY, unopened))
            except KeyDestroyed:
                continue
            except PrivacyError:
                log.warning("numbers that do not open stay unknown", family=family)
        return numbers


async def read_up_to(store: Store, versions: Collection[int]) -> int:
    """The position up to which the numbers of the log are known under all of some versions."""
    marks = await _own_log(store).marks()
    return min((marks.get(_mark(version), 0) for version in versions), default=0)


async def retire_tokens(store: Store, pool: Pool, versions: KeyVersions) -> None:
    """Retire what is older than the file's versions; `KeyNeeded` where a number is not known
    without it yet."""
    oldest = min(versions.secrets)
    if oldest - 1 <= await retired_up_to(pool, TOKEN):
        return
    own, position = _own_log(store), await read_up_to(store, [oldest])
    while window := await own.next_window(position, WINDOW_EVENTS_MAX):
        position, naming = window
        if naming:
            raise KeyNeeded(kind=TOKEN, version=oldest - 1)
    await retire_older(pool, TOKEN, versions)


def _own_log(store: Store) -> OwnLog:
    return OwnLog(store, TOKEN_CHANGE, [kind.__name__ for kind in NAMING])


def _mark(version: int) -> str:
    return f"version-{version}"
