"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "about": "",
    "assigned": "officer-61-03",
    "cases": 12,
    "case": "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70",
    "category": "AMOUNT_WRONG",
    "channel": "CALL_CENTER",
    "code": "UPHELD",
    "column": "channel",
    "contact": "+62 812 0000 0000",
    "due_on": "2023-04-06",
    "en": "Your complaint was right and has been acted upon.",
    "erasure_proposed_by": "",
    "file": "complaints.csv",
    "id": "Pengaduan Anda benar dan telah ditindaklanjuti.",
    "linked": None,
    "media_type": "image/jpeg",
    "month": "2023-03",
    "name": "Siti",
    "on": "2023-04-03",
    "pin": "271828",
    "rating": 5,
    "receipt": "MZXW6YTBOI5DANBR",
    "received_on": "2023-03-30",
    "reference": "2023/04/3f0c1c52.jpg",
    "regency": "61.03",
    "region": "61.03.01.2026",
    "withheld": None,
    "resolution": "UPHELD",
    "resolved_on": "2023-04-05",
    "secret": "complaints.kek",
    "size": 204_800,
    "template": "UPHELD",
    "text": "In February less money came than in January.",
    "to": "officer-61-03",
    "words": "The amount is that of the components that were known at the closing.",
}
