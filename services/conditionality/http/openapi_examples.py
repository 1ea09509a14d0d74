"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "checker": "supervisor-1",
    "column": "month",
    "file": "school_attendance.csv",
    "held": ["2023-1"],
    "hold": "HELD",
    "maker": "officer-1",
    "month": "2023-01",
    "nik": "0000000000000000",
    "region": "61.03.01.2026",
    "reporter": "30141147",
    "result": "FAILED",
    "service": "WEIGHING",
    "tahap": "2023-1",
}
