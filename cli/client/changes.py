"""Changes that wait for a second person, as the registry tells of them, and how one decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from cli.client.http import Client, Seen

SERVICE: Final = "registry"
LOOKS_AT: Final = "registry:read"
DECIDES: Final = "registry:approve"
PROPOSES: Final = "registry:import"


@dataclass(frozen=True, slots=True)
class Change:
    """A change that waits; `change` is its number in the family."""

    family: str
    change: int
    kind: str
    region: str
    maker: str
    batch: str
    reported_on: str | None

    def __str__(self) -> str:
        reported = f" · reported {self.reported_on}" if self.reported_on else ""
        return (
            f"{self.family} {self.change} {self.kind} · {self.region} · by {self.maker} in "
            f"{self.batch}{reported}"
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A thing as it is, and as it would be."""

    what: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.what} {self.before or '-'} > {self.after or '-'}"


@dataclass(frozen=True, slots=True)
class ChangeDiff(Change):
    """All that a change would change, and how many families its account and payee then have."""

    evidence: str
    differences: tuple[Difference, ...]
    families_of_account: int
    families_of_payee: int

    def __str__(self) -> str:
        different = ", ".join(
            str(found) for found in self.differences if found.before != found.after
        )
        evidence = f" · {self.evidence}" if self.evidence else ""
        shared = [
            f"the {what} is that of {families:,} families"
            for what, families in (
                ("account", self.families_of_account),
                ("payee", self.families_of_payee),
            )
            if families > 1
        ]
        return " · ".join([f"{Change.__str__(self)}{evidence}", different, *shared])


async def waiting(reader: Client, **filters: str) -> list[Change]:
    """The changes that wait; `filters` are kind, batch, maker, region and family."""
    pages = reader.pages(SERVICE, "/changes", list[Change], **filters)
    return [change async for page in pages for change in page]


async def left_out(reader: Client) -> str:
    """The sentence on what a list leaves out that is begun now; empty where nothing waits."""
    kinds = Counter(change.kind for change in await waiting(reader))
    counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
    if not kinds:
        return ""
    return (
        f"{kinds.total():,} changes wait ({counts}) and are on no list before: pkh changes approve"
    )


async def diffs(checker: Client, **filters: str) -> AsyncIterator[Seen[list[ChangeDiff]]]:
    """The differences that waiting changes make, page by page; a page is decided by itself."""
    pages = checker.seen_pages(SERVICE, "/changes/diff", list[ChangeDiff], **filters)
    async for page in pages:
        if page.value:
            yield page


async def decide(checker: Client, seen: Seen[list[ChangeDiff]], decision: str) -> int:
    """Let all changes of a page be, or none; answers the position of that."""
    body = {"decision": decision, "changes": _named(seen.value)}
    answer = await checker.post(SERVICE, "/changes/decision", body, seen.if_match)
    return answer.position or 0


async def approve_all(checker: Client) -> int:
    """Let everything be that waits, by its differences; answers the last position, 0 for none."""
    position = 0
    async for seen in diffs(checker):
        position = await decide(checker, seen, "APPROVED")
    return position


async def withdraw(maker: Client, changes: Sequence[Change]) -> None:
    """Take back what one proposed oneself."""
    await maker.post(SERVICE, "/changes/withdrawal", {"changes": _named(changes)})


def _named(changes: Sequence[Change]) -> list[dict[str, str | int]]:
    return [{"family": change.family, "change": change.change} for change in changes]
