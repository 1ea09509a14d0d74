"""The families of a test with their accounts, and what registry and conditionality say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from libs.events.bus import Record
from libs.events.domain.list_proof import Buckets
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.payments.contract import COMMITMENT_TOPIC, ROSTER_TOPIC
from services.payments.domain.shared.ids import REGULAR, payment_id
from simulators.books import Account, Status, comparable
from tests.doors import Sender

TAHAP_1: Final = "2023-1"
REGION: Final = "61.03.01.2026"
SEALED: Final = ("account_no", "account_name", "payee_nik")
EARLY_CHILD_IDR: Final = 750_000


def months_of(tahap: str) -> tuple[str, ...]:
    """The three months of a tahap."""
    number = int(tahap[-1])
    return tuple(f"2023-{month:02}" for month in range(3 * number - 2, 3 * number + 1))


@dataclass(frozen=True, slots=True)
class House:
    """A family with one small child, and the account that it is paid on."""

    number: int
    bank: str = "BNI"
    closed_since: date | None = None
    payee_valid: bool = True
    graduated: bool = False
    child: str = ""
    uncounted: str = ""
    """The reason why another child of theirs brings no money; empty where there is none."""
    written: tuple[tuple[str, str], ...] = ()
    """Cells written down otherwise, by name."""

    @property
    def family(self) -> str:
        """Its id; the numbers spread over the buckets."""
        return str(uuid5(NAMESPACE_URL, f"house-{self.number}"))

    @property
    def account_no(self) -> str:
        """Its account at its bank."""
        return dict(self.written).get("account_no", f"3{self.number:011}")

    @property
    def name(self) -> str:
        """Its payee."""
        own = f"AGUSTINA SURYANI {'ABCDEFGHIJ'[self.number % 10]}"
        return dict(self.written).get("name", own)

    @property
    def nik(self) -> str:
        """Its payee's number."""
        return f"610301490380{self.number:04}"

    @property
    def person(self) -> str:
        """The token of its child."""
        return self.child or f"{self.number:032x}"

    def payment(self, tahap: str = TAHAP_1, kind: str = REGULAR) -> str:
        """Its payment's id."""
        return payment_id(tahap, self.family, kind)


def houses(count: int, bank: str = "BNI", first: int = 1) -> list[House]:
    """Houses of one bank."""
    return [House(number, bank) for number in range(first, first + count)]


def books_of(lived_in: Sequence[House]) -> dict[tuple[str, str], Account]:
    """The banks' knowledge of the houses' accounts."""
    return {
        (house.bank, house.account_no): Account(
            comparable(house.name),
            house.nik,
            Status.CLOSED if house.closed_since else Status.ACTIVE,
            house.closed_since or date.min,
        )
        for house in lived_in
    }


# -- What others say of them ----------------------------------------------------------------------


def _uncounted(house: House, child: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not house.uncounted:
        return []
    token = f"uncounted-{house.person}"
    return [{**child, "member": 3, "token": token, "seniority": 1, "not_counted": house.uncounted}]


@dataclass(slots=True)
class Elsewhere:
    """Registry and conditionality, as payments hears them; `keys` may make keys."""

    keys: KeyRing
    roster: Sender = field(default_factory=lambda: Sender(ROSTER_TOPIC))
    commitment: Sender = field(default_factory=lambda: Sender(COMMITMENT_TOPIC))

    async def line(
        self, house: House, tahap: str = TAHAP_1, revision: int = 1, reopening: int = 0
    ) -> Record:
        """The roster's message of a house; with a number, of its re-opening behind the list."""
        body = await self.line_body(house, tahap, revision) | {"reopening": reopening}
        return self.roster.record("FamilyListed", house.family, body)

    async def line_body(self, house: House, tahap: str, revision: int = 1) -> dict[str, Any]:
        """The roster's line of a house; account and payee are sealed under its key."""
        sealer = Sealer(await self.keys.create([house.family]))
        clear = dict(zip(SEALED, (house.account_no, house.name, house.nik), strict=True))
        child = {
            "member": 2,
            "token": house.person,
            "seniority": 0,
            "months": [["EARLY_CHILD"]] * 3,
            "closing": ["EARLY_CHILD"],
        }
        return {
            "tahap": tahap,
            "months": months_of(tahap),
            "rule_set": "2021-2024",
            "revision": revision,
            "family": house.family,
            "outcome": "GRADUATED_NATURAL" if house.graduated else "LISTED",
            "region": REGION,
            "payee_valid": house.payee_valid and not house.graduated,
            "bank": None if house.graduated else house.bank,
            **{
                name: None if house.graduated else sealer.seal(house.family, name, value)
                for name, value in clear.items()
            },
            "members": [] if house.graduated else [child, *_uncounted(house, child)],
        }

    def withheld(self, reasons: Mapping[str, str], tahap: str = TAHAP_1) -> Record:
        """Registry could make no line of these families, and the end of its list has no room."""
        named = [{"family": family, "reason": why} for family, why in reasons.items()]
        body = {"tahap": tahap, "revision": 1, "withheld": named}
        return self.roster.record("FamiliesWithheld", tahap, body)

    def list_closed(
        self,
        lines: Sequence[Record],
        tahap: str = TAHAP_1,
        withheld: Mapping[str, str] | None = None,
        revision: int = 1,
        more: int = 0,
    ) -> Record:
        """The roster is complete; of some families, and of `more`, registry could make no line."""
        named = [{"family": family, "reason": why} for family, why in (withheld or {}).items()]
        graduated = sum(b"GRADUATED_NATURAL" in line.value for line in lines)
        body = {
            "tahap": tahap,
            "revision": revision,
            "cut": 1,
            "listed": len(lines) - graduated,
            "graduated": graduated,
            "buckets": buckets(lines),
            "withheld": named,
            "withheld_more": more,
        }
        return self.roster.record("ListClosed", tahap, body)

    def evaluation(
        self,
        house: House,
        tahap: str = TAHAP_1,
        result: str = "COMPLIANT",
        revision: int = 1,
        cut_percent: int = 0,
        roster_revision: int = 1,
        case: str = "",
    ) -> Record:
        """Conditionality's message that a house's cycle was evaluated."""
        body = {
            "tahap": tahap,
            "family": house.family,
            "revision": revision,
            "roster_revision": roster_revision,
            "facts_cut": 1,
            "result": result,
            "counter": int(result == "FAILED"),
            "duties": [],
            "cut_percent": cut_percent,
            "case": case,
        }
        return self.commitment.record("CycleEvaluated", house.family, body)

    def evaluation_closed(
        self,
        lines: Sequence[Record],
        parked: Sequence[House] = (),
        tahap: str = TAHAP_1,
        revision: int = 1,
    ) -> Record:
        """Everyone listed is accounted for."""
        body = {
            "tahap": tahap,
            "revision": revision,
            "roster_revision": revision,
            "evaluated": len(lines),
            "parked": sorted(house.family for house in parked),
            "buckets": buckets(lines),
        }
        return self.commitment.record("EvaluationClosed", tahap, body)

    def effect(
        self, kind: str, house: House, tahap: str, *tahaps: str, revision: int = 1
    ) -> Record:
        """Suspended, CycleWithdrawn, or with `tahaps` Released, Cleared or Terminated because of
        `tahap`."""
        body: dict[str, Any] = {"family": house.family, "cycle": tahap, "revision": revision}
        name = f"{house.number}|{tahap}|{kind}" + (f"|{revision}" if revision > 1 else "")
        body |= {"effect": str(uuid5(NAMESPACE_URL, name))}
        body |= {"tahaps": list(tahaps)} if tahaps else {"tahap": tahap, "counter": 1}
        return self.commitment.record(kind, house.family, body)


def unsent(topic: str, kind: str, key: str, body: object) -> Record:
    """A message that its sender counts and that never comes."""
    return Sender(topic).record(kind, key, body)


def buckets(lines: Sequence[Record]) -> dict[str, tuple[int, str]]:
    """The proof over some messages."""
    return Buckets.of([((line.key or b"").decode(), line.value) for line in lines]).to_json()
