"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "column": "held_on",
    "facilitator": "PD610301",
    "file": "p2k2_sessions.csv",
    "follow_up": "Every family keeps its book of the household's money until the next session.",
    "group": "G6103012026-1",
    "material": "",
    "missed_month": "2023-04",
    "module": "KEUANGAN",
    "notes": "The younger mothers asked for more time.",
    "number": "S0000001",
    "on": "2023-01-05",
    "photo": "photos/2023/01/S0000001",
    "venue": "Balai desa",
    "reason": "SENT_BY_MISTAKE",
    "region": "61.03.01.2026",
    "schedule": "First Friday of the month",
    "starts_at": "09:00",
    "supervisor": "SV610300",
}
