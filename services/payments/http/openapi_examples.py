"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from libs.chassis.openapi_examples import UUID

HASH: Final = "5f2b7c1e" * 8

EXAMPLES: Final[Mapping[str, object]] = {
    "against": "2022-4",
    "answer": "00",
    "bank": "BRI",
    "by": "planner-1",
    "broken": [],
    "closing_date": "2023-03-31",
    "credit_date": "2023-04-20",
    "account_check_date": "2023-04-05",
    "changes": ["ACCOUNT", "INCREASE"],
    "diff": HASH,
    "evidence": "BA-12/DINSOS/2023",
    "family": UUID,
    "from_tahap": "2023-1",
    "hash": HASH,
    "hold": "NONE",
    "incidents": [],
    "invariant": "debits equal credits",
    "heads": {"registry": 4180, "conditionality": 5120},
    "kind": "REGULAR",
    "last_day": "2023-06-30",
    "list_hash": HASH,
    "maker": "planner-1",
    "month": "2023-01",
    "missing": [],
    "months": ["2023-01", "2023-02", "2023-03"],
    "outstanding": [],
    "region": "61.03.01.2026",
    "phase": "READY",
    "reason": "PARKED_AT_CONDITIONALITY",
    "revision": 1,
    "rule_set": "2021-2024",
    "table": "2018",
    "what": "ANNOUNCEMENT",
    "tahap": "2023-1",
    "tahaps": ["2023-1"],
    "to_acknowledge": HASH,
    "transfer": "CREDITED",
    "trouble": None,
    "partner": "BRI",
    "partners_in_trouble": [],
    "where": "2023-1-REGULAR",
}
