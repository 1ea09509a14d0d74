"""A registry and payments side by side: who is erased at the one stops nobody at the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from libs.events.bus import Record
from libs.privacy.keys import KeyRing
from services.payments.domain.shared.ids import payment_id
from services.registry.contract import ROSTER_TOPIC
from services.registry.partners.payments import Payments
from services.registry.workers.eraser import Eraser
from simulators.books import Account, Status, comparable
from tests.doors import Door, Sent, sent, service_settings
from tests.integration.payments.houses import TAHAP_1, House
from tests.integration.payments.office import CHECKER, MAKER, Office, office_at
from tests.integration.payments.world import World
from tests.integration.registry.kit import (
    Register,
    child,
    door_at,
    family,
    member,
    register_at,
)
from tests.servers import Postgres

CARDS: Final = tuple(f"610301010101000{number}" for number in range(1, 5))
TAHAP_PATH: Final = f"/tahap/{TAHAP_1}"
GROUND: Final = {"ground": "SUBJECT_REQUEST", "evidence": "BA-12/DINSOS/2023"}
MONEY_IDR: Final = 750_000
"""Of a family with one small child."""


def account_of(card: str) -> str:
    return f"30000000000{card[-1]}"


def payee_of(card: str) -> str:
    return f"610301410170000{card[-1]}"


def child_of(card: str) -> str:
    return f"610301170820000{card[-1]}"


@dataclass(frozen=True, slots=True)
class _Home(House):
    """A family of the register, as conditionality speaks of it."""

    id: str = ""

    @property
    def family(self) -> str:
        return self.id


@dataclass(slots=True)
class Programme:
    """The register and payments without their loops; each step is the test's."""

    register: Register
    registry: Door
    office: Office
    eraser: Eraser
    keys_of: str
    """The address of the keys, for whoever restores a backup of them."""
    families: dict[str, str] = field(default_factory=dict)
    """{card: family}"""
    carried: int = 0

    async def founded(self) -> None:
        """Four families with a small child each, and the accounts that they are paid on."""
        rows = [family(card, payee_of(card), account_no=account_of(card)) for card in CARDS]
        await self.register.take("families", *rows)
        people = [(member(c, payee_of(c), "1980-01-01"), child(c, child_of(c))) for c in CARDS]
        await self.register.take("members", *(row for pair in people for row in pair))
        for card in CARDS:
            self.families[card] = (await self.register.state_of(card)).family
            self.office.world.accounts["BNI", account_of(card)] = Account(
                comparable("ROSITA DJAFAR"), payee_of(card), Status.ACTIVE, date.min
            )

    # -- Messages

    async def carry(self) -> None:
        """Bring what the register has said on the roster to payments."""
        said = [each for each in await sent(self.register.store) if each.topic == ROSTER_TOPIC]
        fresh, self.carried = said[self.carried :], len(said)
        await self.office.take(*map(self._record, fresh))

    def _record(self, message: Sent) -> Record:
        return self.office.elsewhere.roster.record(message.type, message.key, message.body)

    async def judged(self) -> None:
        """Conditionality finds that everybody on the list did their duty; the list is joined."""
        there = self.office.elsewhere
        lines = [line.key for line in await self.register.lines()]
        evaluations = [there.evaluation(self.home(each)) for each in lines]
        await self.office.take(*evaluations, there.evaluation_closed(evaluations))
        await self.office.join()

    # -- A tahap

    async def announced(self) -> None:
        await self.register.announce()
        await self.office.announce()

    async def listed(self) -> None:
        await self.announced()
        await self.register.list_all()

    async def joined(self) -> None:
        """The list is whole and can be frozen."""
        await self.listed()
        await self.carry()
        await self.judged()

    async def proposed(self) -> None:
        await self.joined()
        await self._step("proposal", **(await self._shown()))

    async def frozen(self) -> None:
        """Two people freeze the list as it is shown to them, without who is missing."""
        shown = await self._shown()
        await self._step("proposal", **shown)
        await self._step("approval", hash=shown["hash"])

    async def _shown(self) -> dict[str, Any]:
        shown = (await self.office.seen(TAHAP_PATH))["list"]
        return {"hash": shown["hash"], "deferred": shown["deferred_candidates"]}

    async def _step(self, step: str, **body: Any) -> None:
        person, scope = (MAKER, "make") if step == "proposal" else (CHECKER, "check")
        answer = await self.office.asked_by(person, scope, f"{TAHAP_PATH}/freeze-{step}", body)
        assert answer.status_code == 204, answer.text

    async def goes_on(self) -> None:
        """Whatever is left of the tahap is done, from whichever step it is at."""
        await self.register.list_all()
        await self.carry()
        if not (await self.office.tahap()).lists or not await self._is_frozen():
            await self.judged()
            await self.frozen()
        await self.office.pay()
        if (await self.office.run()).order is None:
            await self.office.ordered()
            await self.office.pay()

    async def _is_frozen(self) -> bool:
        return (await self.office.tahap()).lists[0].frozen is not None

    # -- An erasure

    async def asked(self, person: str, step: str, family: str, **body: str) -> httpx.Response:
        """The answer to a person's step of an erasure, on what they saw just now."""
        who = self.registry.who(person, "registry:erase")
        seen = await self.registry.client.get(f"/erasures/{family}", headers=who)
        who["If-Match"] = seen.headers.get("etag", '"0"')
        return await self.registry.post(f"/erasures/{family}{step}", who, json=body or None)

    async def approval_of(self, family: str) -> httpx.Response:
        """The answer to the second of two people who erase a family."""
        proposed = await self.asked("ana", "", family, **GROUND)
        assert proposed.status_code == 204, proposed.text
        return await self.asked("budi", "/approval", family)

    async def erase(self, family: str) -> None:
        """Two people erase a family, and it is carried out."""
        approved = await self.approval_of(family)
        assert approved.status_code == 204, approved.text
        await self.carry()
        await self.eraser.step()

    async def is_erased(self, family: str) -> bool:
        """True where nobody can read any more what was sealed of a family."""
        return family in await self.eraser.keys.destroyed()

    def payment(self, card: str) -> str:
        return payment_id(TAHAP_1, self.families[card])

    def home(self, family: str) -> House:
        """A family as conditionality speaks of it."""
        return _Home(0, id=family)

    # -- The keys' backup

    async def keys_as_kept(self, family: str) -> bytes:
        """A family's key as a backup of the keys holds it."""
        select = "SELECT wrapped FROM keys WHERE family = $1"
        async with self._owner() as owner:
            kept: bytes = await owner.fetchval(select, family)
        return kept

    async def restore_keys(self, family: str, kept: bytes) -> None:
        """Put the backup in the place of the keys: no rule of the table holds meanwhile."""
        async with self._owner() as owner, owner.transaction():
            await owner.execute("SET LOCAL session_replication_role = replica")
            restore = "UPDATE keys SET wrapped = $2, destroyed_at = NULL WHERE family = $1"
            await owner.execute(restore, family, kept)

    @asynccontextmanager
    async def _owner(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await asyncpg.connect(self.keys_of)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def programme_at(postgres: Postgres, directory: Path) -> AsyncIterator[Programme]:
    """Both services on databases of their own; payments opens what the register has sealed."""
    world = World(directory / "journals", {})
    async with (
        service_settings(postgres, directory, "registry") as of_registry,
        service_settings(postgres, directory, "payments") as of_payments,
        register_at(of_registry) as register,
        office_at(of_payments, directory, world) as office,
        asyncpg.create_pool(of_registry.eraser_url, min_size=1, max_size=1) as pool,
    ):
        office.elsewhere.keys = register.keys
        token = directory / "registry.token"
        token.write_text(office.door.issuer.token("registry", ["payments:money"], ["*"]))
        payments = Payments(office.door.client, "http://service", token)
        async with door_at(of_registry, directory, register, payments) as opened:
            eraser = Eraser(register.store, KeyRing(pool, of_registry.kek), payments)
            found = Programme(register, opened, office, eraser, of_registry.bus_url)
            await found.founded()
            yield found
