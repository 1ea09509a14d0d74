"""Families that are parked here: their lines count as received, and their money waits."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from libs.events.bus import Record
from libs.events.bus.envelope import parse
from libs.events.consumer.parking import parked_keys, parked_records
from libs.events.store.transaction import Transaction
from services.payments.contract import ROSTER_TOPIC, SERVICE

FAMILY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _OfTahap(msgspec.Struct):
    tahap: str


async def parked_lines(unit: Transaction, tahap: str, topic: str) -> dict[str, bytes]:
    """{family: message value} of lines that are parked here; they count as received."""
    wanted = "FamilyListed" if topic == ROSTER_TOPIC else "CycleEvaluated"
    return {
        (record.key or b"").decode(): record.value
        for record in await parked_records(unit, SERVICE, topic)
        if parse(record).type == wanted and _is_of(record, tahap)
    }


async def families_parked(unit: Transaction, topic: str) -> set[str]:
    """The families of whom anything is parked: of an evaluation, also what follows from it."""
    return {key for key in await parked_keys(unit, SERVICE, topic) if FAMILY.fullmatch(key)}


def _is_of(record: Record, tahap: str) -> bool:
    try:
        return msgspec.json.decode(record.value, type=_OfTahap).tahap == tahap
    except msgspec.DecodeError:
        return True  # unreadable: better named as missing here than waited for in vain
