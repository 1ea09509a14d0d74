"""The director's dashboard: the programme's money and its targets, tahap by tahap."""

from __future__ import annotations

from typing import Final

from deploy.grafana.layout import Audience, Panels
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

PROGRAMME: Final[Panels] = (
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
)

DIRECTOR: Final = Audience(
    "director",
    "PKH at a glance",
    "The programme's money, tahap by tahap and by regency.",
    {"Tahap by tahap": PROGRAMME},
    by_tahap=True,
)
