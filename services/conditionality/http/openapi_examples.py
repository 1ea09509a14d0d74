"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "broken": [],
    "checker": "supervisor-1",
    "crv": "P-256",
    "kty": "EC",
    "alg": "ECDH-ES",
    "use": "enc",
    "kid": "inbound-1",
    "x": "UVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A18",
    "y": "RTa-OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q",
    "topic": "pkh.inbound.education-attendance.v1",
    "writer": "dapodik",
    "message": "dapodik-2023-01-000017",
    "reason": "KEY_UNKNOWN",
    "field": "nik",
    "detail": "A number in it is closed for a key that is none of ours, or out of use.",
    "sha256": "0000000000000000000000000000000000000000000000000000000000000000",
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
