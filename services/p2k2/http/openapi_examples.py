"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "begins": "2023-01-05T02:00:00Z",
    "column": "held_on",
    "crv": "Ed25519",
    "ends": "2023-01-05T02:10:00Z",
    "facilitator": "PD610301",
    "file": "p2k2_sessions.csv",
    "follow_up": "Every family keeps its book of the household's money until the next session.",
    "group": "G6103012026-1",
    "kid": "1",
    "kty": "OKP",
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
    "scanned_at": "2023-01-05T02:03:00Z",
    "schedule": "First Friday of the month",
    "starts_at": "09:00",
    "supervisor": "SV610300",
    "token": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiMSJ9.WyJTMDAwMDAwMSJd.c2lnbmF0dXJl",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
