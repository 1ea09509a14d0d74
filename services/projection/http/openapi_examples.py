"""Samples of the names in this service's interface, for its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from libs.chassis.openapi_examples import UUID

EXAMPLES: Final[Mapping[str, object]] = {
    "about": "Families of a tahap and what became of their money",
    "account_check": "OK",
    "area": "61.03",
    "closing_date": "2023-03-31",
    "columns": {"families": "families taking part"},
    "commitment": "COMPLIANT",
    "components": "EARLY_CHILD:3;SD:2",
    "disposition": "PAID",
    "due_on": "2023-04-06",
    "duty": "SCHOOL_ATTENDANCE",
    "ended_by": "a compliant cycle, or the end of an investigation by two people",
    "list": "blocked",
    "en": "Paid: Rp 225,000 for one pupil of a primary school.",
    "failing": [],
    "family": UUID,
    "figures": {"families": 267},
    "key": "",
    "model": "coverage",
    "months": ["2023-01", "2023-02", "2023-03"],
    "name": "KABUPATEN SANGGAU",
    "target": {"per_100000": 85000, "at_most": False, "met": True},
    "outcome": "MET",
    "reason": "SENT_BY_MISTAKE",
    "reference": "BNI",
    "reported_at": "2026-11-30T21:00:07Z",
    "reported_by": "auditor",
    "since": "2023-03-31",
    "group": "G6101082007-1",
    "modules_completed": ["KEUANGAN"],
    "region": "61.03.01.2001",
    "source": "payments",
    "status": "ELIGIBLE",
    "tahap": "2023-1",
    "transfer": "CREDITED",
    "type": "PaymentCredited",
}
