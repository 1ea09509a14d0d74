"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, object]] = {
    "after": "BRI",
    "as_of": "2023-03-31",
    "bank": "BNI",
    "batch": "5b0ff7c4-2d0e-4f0e-9c1b-0f5b8a3f0c11",
    "before": "BNI",
    "checker": "supervisor-2",
    "ground": "SUBJECT_REQUEST",
    "categories": ["EARLY_CHILD"],
    "change": 1,
    "effective_on": "2023-05-05",
    "evidence": "BA-12/2023",
    "fact": "MemberBorn",
    "graduates_from": None,
    "recorded_by": "facilitator-1",
    "reported_on": "2023-07-12",
    "tahap": "2023-2",
    "at": 4_180,
    "counts_here": False,
    "decided": False,
    "families_of_account": 1,
    "families_of_payee": 1,
    "kind": "PAYEE_CHANGE",
    "what": "bank",
    "maker": "supervisor-1",
    "most": 5_000,
    "standing": "OPEN",
    "column": "school_level",
    "departure": None,
    "facilitator": "PD610301",
    "file": "members.csv",
    "group": "G6103012026-1",
    "known_by": "2023-03-31",
    "last_listed": "2023-1",
    "nik": "0000000000000000",
    "no_kk": "0000000000000000",
    "purpose": "COMPLAINT",
    "reason": "SENT_BY_MISTAKE",
    "region": "61.03.01.2001",
    "since": "2023-03-01",
    "status": "ELIGIBLE",
}
