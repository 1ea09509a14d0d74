"""Cases as complaints tells of them, and the steps that people take on one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "complaints"
LOOKS_AT: Final = "complaints:read"
RECEIVES: Final = "complaints:receive"
HANDLES: Final = "complaints:handle"
DECIDES: Final = "complaints:decide"
FOLLOWS: Final = "complaints:follow"


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands: at which level, and until when."""

    case: str
    category: str
    region: str
    level: str
    status: str
    due_on: str | None
    overdue: bool
    paused: bool
    assigned: str
    resolution: str = ""
    erased: bool = False
    erasure_proposed_by: str = ""

    def __str__(self) -> str:
        proposed = self.erasure_proposed_by
        waits = f"erasure proposed by {proposed}" if proposed else ""
        asked = "its reporter is asked" if self.paused else ""
        until = f"due {self.due_on}" if self.due_on else "without a term"
        late = "OVERDUE" if self.overdue else ""
        desk = f"assigned to {self.assigned}" if self.assigned else ""
        parts = (
            f"{self.case} {self.status} {self.resolution}".rstrip(),
            self.category,
            self.region,
            self.level,
            until,
            late,
            asked,
            desk,
            "erased" if self.erased else waits,
        )
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The case that a complaint became, and the number and PIN by which its reporter follows it."""

    case: str
    receipt: str
    pin: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Words on a case that its reporter is shown."""

    kind: str
    on: str
    words: str

    def __str__(self) -> str:
        return f"{self.on} {self.kind}: {self.words}"


@dataclass(frozen=True, slots=True)
class Followed:
    """A case as its reporter sees it."""

    level: str
    status: str
    due_on: str | None
    entries: list[Entry]

    def __str__(self) -> str:
        until = f" until {self.due_on}" if self.due_on else ""
        return "\n".join([f"{self.status} at {self.level}{until}", *map(str, self.entries)])


async def cases(reader: Client, **filters: str) -> list[Case]:
    """The cases that the reader's offices see, by the day on which they are due."""
    pages = reader.pages(SERVICE, "/cases", list[Case], **filters)
    return [case async for page in pages for case in page]


async def see(reader: Client, case: str) -> Seen[Case]:
    """A case as it stands now."""
    return await reader.see(SERVICE, f"/cases/{case}", Case)


async def receive(receiver: Client, complaint: dict[str, object]) -> Receipt:
    """Receive a complaint; the PIN is told here alone."""
    return (await receiver.post(SERVICE, "/cases", complaint)).read(Receipt)


async def take(person: Client, case: str, step: str, body: dict[str, object] | None) -> None:
    """Take a step on a case as it stands now: assignment, notes, resolution and their like."""
    seen = await see(person, case)
    await person.post(SERVICE, f"/cases/{case}/{step}", body, seen.if_match)


async def erase(reporter: Client, receipt: str, pin: str) -> None:
    """Have name, contact and words of a case erased, as whoever has its receipt."""
    body = {"receipt": receipt, "pin": pin}
    await reporter.post(SERVICE, "/followed-cases/erasure", body)


async def follow(reporter: Client, receipt: str, pin: str) -> Followed:
    """A case as whoever has its receipt sees it."""
    body = {"receipt": receipt, "pin": pin}
    return (await reporter.post(SERVICE, "/followed-cases", body)).read(Followed)


# -- Appeals and orders ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appeal:
    """The appeal of a case: against which effect of a tahap, what waits for it, what was decided.

    `pauses` is None until conditionality has answered, `not_paused` says why nothing waits, `ended`
    how it came out there, and `refused` why the last decision was none.
    """

    tahap: str
    effect: str
    opened_by: str
    outcome: str | None
    pauses: bool | None
    not_paused: str
    ended: str
    refused: str

    def __str__(self) -> str:
        if self.refused and self.refused == self.not_paused:
            return f"appeal against {self.effect} of {self.tahap}: refused, {self.refused}"
        decided = self.outcome or f"waits for a decision by somebody else than {self.opened_by}"
        parts = [
            f"appeal against {self.effect} of {self.tahap}: {decided}",
            f"decision refused: {self.refused}" if self.refused else "",
            f"pauses nothing: {self.not_paused}" if self.not_paused else "",
            "that waits for it" if self.pauses and not self.ended else "",
            f"ended {self.ended}" if self.ended else "",
        ]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Order:
    """A request of a case to another service, and that service's answer."""

    order: str
    ordered: str
    tahap: str | None
    answer: str | None
    reason: str

    def __str__(self) -> str:
        answer = " ".join(part for part in (self.answer or "not answered yet", self.reason) if part)
        return f"order {self.ordered} {self.tahap or ''}".rstrip() + f": {answer}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """The appeal of a case, and its orders."""

    appeal: Appeal | None
    orders: list[Order]

    def __str__(self) -> str:
        return "\n".join(str(part) for part in (self.appeal, *self.orders) if part is not None)


async def see_remedy(reader: Client, case: str) -> Seen[Remedy]:
    """The appeal and the orders of a case as they stand now."""
    return await reader.see(SERVICE, f"/cases/{case}/remedy", Remedy)


async def ask_remedy(person: Client, case: str, what: str, body: dict[str, object]) -> None:
    """Open the `appeal` of a case, or have it ask something of another service by `orders`."""
    await person.post(SERVICE, f"/cases/{case}/{what}", body)


async def decide_appeal(person: Client, case: str, seen: Seen[Remedy], outcome: str) -> None:
    """Decide an appeal that was shown."""
    path = f"/cases/{case}/appeal/decision"
    await person.post(SERVICE, path, {"outcome": outcome}, seen.if_match)
