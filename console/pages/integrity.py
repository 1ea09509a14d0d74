"""Integrity of the platform: each service's log, its chain, what it has sent and read, the books.

Every service is asked with the reader's own token; one that does not answer is shown as silent, and
the others all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from console.page import OtherSilent, Page, Shown, Visit
from libs.chassis.catalogue import catalogue
from libs.events.store.watermarks import positions
from services.projection.tables import proofs

HASH_CHARACTERS: Final = 16
OWN: Final = "projection"


async def show(visit: Visit) -> Shown:
    """The whole page, or the part that htmx asks for again every few seconds."""
    visit.only()
    others = [name for name in catalogue().names if name != OWN]
    found = await asyncio.gather(_own(visit), *(_other(visit, name) for name in others))
    sent = {
        topic: partitions
        for service in found
        if service["answers"]
        for topic, partitions in service["topics"].items()
    }
    for service in found:
        service["behind"] = _behind(service["consumed"], sent) if service["answers"] else 0
    data = {
        "services": found,
        "books": await _books(visit),
        "proofs": await _proofs(visit),
        "live": visit.link("/integrity"),
    }
    return Shown("integrity_live.html" if visit.is_part else "integrity.html", data)


async def _own(visit: Visit) -> dict[str, Any]:
    where = await positions(visit.store)
    head = await visit.store.head_at(where.head)
    return {
        "name": OWN,
        "answers": True,
        "head": where.head,
        "relayed": where.relayed,
        "parked": where.parked,
        "topics": where.topics,
        "consumed": where.consumed,
        "publishes": False,
        "chain": head.hex()[:HASH_CHARACTERS] if head else "",
    }


async def _other(visit: Visit, name: str) -> dict[str, Any]:
    """A service as it says it is; only that it does not answer where it does not."""
    try:
        where = await visit.ask(name, "/positions")
        chain = await visit.ask(name, "/chain")
    except OtherSilent:
        return {"name": name, "answers": False}
    if not where.is_success:
        return {"name": name, "answers": False}
    own = where.json()
    return {
        "name": name,
        "answers": True,
        "head": own["head"],
        "relayed": own["relayed"],
        "parked": own["parked"],
        "topics": _numbered(own["topics"]),
        "consumed": _numbered(own["consumed"]),
        "publishes": bool(catalogue().services[name].publishes),
        "chain": chain.json()["head"][:HASH_CHARACTERS] if chain.is_success else "",
    }


def _numbered(topics: Mapping[str, Mapping[str, int]]) -> dict[str, dict[int, int]]:
    """Partitions by number: JSON has them as texts."""
    return {
        topic: {int(partition): position for partition, position in partitions.items()}
        for topic, partitions in topics.items()
    }


def _behind(
    consumed: Mapping[str, Mapping[int, int]], sent: Mapping[str, Mapping[int, int]]
) -> int:
    """Partitions of which a service has not read all that their owner has written."""
    return sum(
        position > consumed[topic].get(partition, 0)
        for topic in consumed.keys() & sent.keys()
        for partition, position in sent[topic].items()
    )


async def _proofs(visit: Visit) -> list[dict[str, Any]]:
    """The last report of each kind of proof; `at` is None where there is none."""
    found = await proofs.latest(visit.store)
    return [
        {"kind": kind, "at": None, "by": "", "findings": 0}
        if (report := found.get(kind)) is None
        else {
            "kind": kind,
            "at": report.reported_at,
            "by": report.reported_by,
            "findings": report.findings,
        }
        for kind in proofs.KINDS
    ]


async def _books(visit: Visit) -> dict[str, Any]:
    """The rules of the ledger that do not hold; no answer where payments does not say."""
    try:
        answer = await visit.ask("payments", "/ledger/check")
    except OtherSilent:
        return {"answers": False, "broken": []}
    if not answer.is_success:
        return {"answers": False, "broken": []}
    return {"answers": True, "broken": answer.json()["broken"]}


PAGE: Final = Page("integrity", "/integrity", show, scopes=("platform:read",), nation=True, menu=90)
