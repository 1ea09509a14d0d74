"""The programme's money, tahap by tahap, as the projection's reports have it."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana.panels import rows

TAHAPS: Final = """
SELECT tahap, sum(families)::bigint AS families, sum(rupiah)::bigint AS entitled,
       coalesce(sum(rupiah - cut) FILTER (WHERE disposition = 'PAID'), 0)::bigint AS credited,
       coalesce(sum(rupiah) FILTER (WHERE disposition = 'BLOCKED'), 0)::bigint AS blocked,
       coalesce(sum(rupiah) FILTER (
           WHERE disposition IN ('ACCOUNT_FAILED', 'TRANSFER_FAILED', 'NO_VALID_PAYEE')
       ), 0)::bigint - coalesce(sum(cut) FILTER (
           WHERE disposition = 'TRANSFER_FAILED'
       ), 0)::bigint AS failed,
       sum(cut)::bigint AS cut,
       coalesce(sum(rupiah) FILTER (WHERE disposition = 'PENDING'), 0)::bigint AS pending,
       sum(released)::bigint AS released, sum(returned)::bigint AS returned
FROM report_payments GROUP BY tahap ORDER BY tahap
"""
REGENCIES: Final = """
SELECT regency, sum(families)::bigint AS families, sum(rupiah)::bigint AS entitled,
       coalesce(sum(rupiah - cut) FILTER (WHERE disposition = 'PAID'), 0)::bigint AS credited,
       coalesce(sum(rupiah) FILTER (WHERE disposition = 'BLOCKED'), 0)::bigint AS blocked
FROM report_payments WHERE tahap = ${tahap:sqlstring} GROUP BY regency ORDER BY regency
"""
FAILURES: Final = """
SELECT reason, families, rupiah FROM report_failures
WHERE tahap = ${tahap:sqlstring} ORDER BY families DESC, reason
"""
COMMITMENT: Final = """
SELECT result, families FROM report_commitment
WHERE tahap = ${tahap:sqlstring} ORDER BY families DESC, result
"""
DOCUMENTS: Final = """
SELECT dated, document, times FROM report_documents
WHERE tahap = ${tahap:sqlstring} ORDER BY place
"""
SESSIONS: Final = """
SELECT regency, groups, sessions, present, excused, absent, reached FROM report_sessions
WHERE tahap = ${tahap:sqlstring} ORDER BY regency
"""
TAHAP_CHOICES: Final = "SELECT DISTINCT tahap FROM report_payments ORDER BY tahap DESC"

PROGRAMME: Final[tuple[Builder[Panel], ...]] = (
    rows(
        "Tahap by tahap",
        TAHAPS,
        "Rupiah by what became of them, as the result files have it.",
        width=24,
        rupiah=(
            "entitled",
            "credited",
            "blocked",
            "failed",
            "cut",
            "pending",
            "released",
            "returned",
        ),
    ),
    rows(
        "Regencies of tahap $tahap",
        REGENCIES,
        "Where the families lived at the closing.",
        width=12,
        rupiah=("entitled", "credited", "blocked"),
    ),
    rows(
        "Failures of tahap $tahap",
        FAILURES,
        "What the treasury or a bank answered, or why nobody could be paid.",
        width=12,
        rupiah=("rupiah",),
    ),
    rows("Commitment in tahap $tahap", COMMITMENT, "How the cycles were judged.", width=12),
    rows(
        "Sessions in tahap $tahap",
        SESSIONS,
        "Of groups by their regency: marks and families reached, of those that take part.",
        width=12,
    ),
    rows(
        "Documents of tahap $tahap",
        DOCUMENTS,
        "In the order in which they came, with their business dates.",
        width=12,
    ),
)
