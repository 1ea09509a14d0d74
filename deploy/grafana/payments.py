"""Payments' dashboard: where the money is, what stops it, and what ends soon."""

from __future__ import annotations

from typing import Final

from deploy.grafana.layout import Audience, Panels
from deploy.grafana.panels import COUNT, DAYS, RUPIAH, bars, lines, number, rows

BECAME: Final = """
SELECT disposition, sum(families)::bigint AS families, sum(rupiah - cut)::bigint AS rupiah
FROM report_payments WHERE tahap = ${tahap:sqlstring} GROUP BY disposition ORDER BY families DESC
"""

FAILURES: Final = """
SELECT reason, families, rupiah FROM report_failures
WHERE tahap = ${tahap:sqlstring} ORDER BY families DESC, reason
"""

DOCUMENTS: Final = """
SELECT dated, document, times FROM report_documents
WHERE tahap = ${tahap:sqlstring} ORDER BY place
"""

MONEY: Final[Panels] = (
    number(
        "Rupiah in suspense",
        "ledger:suspense_rupiah:sum",
        RUPIAH,
        "Released and not yet paid or returned: programme account, banks, blocked.",
    ),
    lines(
        "Where it is",
        {"{{account}}": 'account:ledger_balance_rupiah:max{account!~"state_.*|family_available"}'},
        RUPIAH,
        "Balance of each account that money only passes through.",
        width=12,
    ),
    bars(
        "Moved",
        "max by (movement) (ledger_moved_rupiah)",
        "{{movement}}",
        RUPIAH,
        "Since the ledger began, by what happened to it.",
    ),
)

STOPPED: Final[Panels] = (
    lines(
        "Families on hold",
        {"{{kind}}": "max by (kind) (payments_held_families)"},
        COUNT,
        "Two people decided that their money is not sent; pkh hold list names them.",
    ),
    lines(
        "Incidents of partners",
        {"{{partner}}": "max by (partner) (payments_partner_incidents)"},
        COUNT,
        "Words that cannot be a partner's own; pkh tahap show names them, a person judges.",
    ),
    lines(
        "Closings proposed",
        {"proposed": "max(payments_proposed_closings)"},
        COUNT,
        "By one person; another announces them on what is approved by then.",
    ),
    lines(
        "Certificates and keys",
        {"{{partner}}, {{kind}}": "min by (partner, kind) (payments_certificate_days)"},
        DAYS,
        "Days for which each still counts; below zero no money moves by it.",
    ),
)

ANSWERS: Final[Panels] = (
    bars(
        "What banks answered",
        "max by (cycle, outcome) (projection_answered_payments)",
        "{{cycle}}, {{outcome}}",
        COUNT,
        "Payments of the last two tahaps that banks have answered.",
        width=12,
    ),
)

OF_THE_TAHAP: Final[Panels] = (
    rows(
        "What became of the lines of tahap $tahap",
        BECAME,
        "PENDING is on its way; BLOCKED is credited and held.",
        width=12,
        rupiah=("rupiah",),
    ),
    rows(
        "Failures of tahap $tahap",
        FAILURES,
        "What the treasury or a bank answered, or why nobody could be paid.",
        width=12,
        rupiah=("rupiah",),
    ),
    rows(
        "Documents of tahap $tahap",
        DOCUMENTS,
        "In the order in which they came, with their business dates.",
        width=12,
    ),
)

PAYMENTS: Final = Audience(
    "payments",
    "PKH payments",
    "Where the money is, what stops it, and what ends soon.",
    {
        "Money on its way": MONEY,
        "What stops it": STOPPED,
        "Answers": ANSWERS,
        "Tahap $tahap": OF_THE_TAHAP,
    },
    by_tahap=True,
)
