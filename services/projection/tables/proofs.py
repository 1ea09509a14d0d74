"""Reports of proofs: who verified the platform's logs or witnessed them, when, with what result.

The report is its sender's word. Whoever doubts it verifies again: the proof is in the logs and with
the witness, and not in these rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, get_args

from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample

ProofKind = Literal["VERIFICATION", "WITNESS"]
KINDS: Final[tuple[ProofKind, ...]] = get_args(ProofKind)

_ADD: Final = """
INSERT INTO proof_report (kind, reported_at, reported_by, findings) VALUES ($1, $2, $3, $4)
"""
_PAGE: Final = """
SELECT number, kind, reported_at, reported_by, findings FROM proof_report
WHERE number < $1 ORDER BY number DESC LIMIT $2
"""
_LATEST: Final = """
SELECT report.* FROM unnest($1::text[]) AS wanted (kind), LATERAL (
    SELECT number, kind, reported_at, reported_by, findings FROM proof_report
    WHERE proof_report.kind = wanted.kind ORDER BY number DESC LIMIT 1) AS report
"""
LAST: Final = 2**63 - 1
"""A number behind every report's."""


class ProofReport(NamedTuple):
    """A report: what was done, when it was reported by whom, and how many faults were found."""

    number: int
    kind: ProofKind
    reported_at: datetime
    reported_by: str
    findings: int


async def add(unit: Transaction, kind: ProofKind, at: datetime, by: str, findings: int) -> None:
    """Note a report."""
    await unit.connection.execute(_ADD, kind, at, by, findings)


async def page(store: Store, before: int, rows: int) -> list[ProofReport]:
    """Reports that are older than the one of a number, the newest first."""
    return [_report(row) for row in await store.pool.fetch(_PAGE, before, rows)]


async def latest(store: Store) -> dict[str, ProofReport]:
    """The last report of each kind that has one."""
    return {row["kind"]: _report(row) for row in await store.pool.fetch(_LATEST, KINDS)}


async def gauges(store: Store) -> list[Sample]:
    """When each kind was last reported, and what it found."""
    return [
        sample
        for kind, report in (await latest(store)).items()
        for sample in (
            Sample(telemetry.PROVED_AT, report.reported_at.timestamp(), (kind,)),
            Sample(telemetry.PROOF_FINDINGS, report.findings, (kind,)),
        )
    ]


def _report(row: Any) -> ProofReport:
    return ProofReport(**row)
