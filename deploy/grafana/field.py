"""The field's dashboard: duties, sessions, cases and changes that wait for somebody."""

from __future__ import annotations

from typing import Final

from deploy.grafana.layout import Audience, Panels
from deploy.grafana.panels import COUNT, DAYS, SHARE, bars, lines, rows

COMMITMENT: Final = """
SELECT result, families FROM report_commitment
WHERE tahap = ${tahap:sqlstring} ORDER BY families DESC, result
"""

SESSIONS: Final = """
SELECT regency, groups, sessions, present, excused, absent, reached FROM report_sessions
WHERE tahap = ${tahap:sqlstring} ORDER BY regency
"""

DUE: Final[Panels] = (
    lines(
        "Cases and their terms",
        {"{{level}}, {{term}}": "max by (level, term) (complaints_open_cases)"},
        COUNT,
        "Open; DUE ends by the next working day, OVER has ended and, but for NATION, is passed on; "
        "UNDATED waits for a decree of holidays.",
    ),
    lines(
        "Decreed holidays",
        {"days left": "min(complaints_decreed_days)"},
        DAYS,
        "Behind the last day no term of a complaint has a due day, until the next decree is added.",
    ),
    lines(
        "Changes that wait",
        {"{{kind}}": "max by (kind) (registry_waiting_changes)"},
        COUNT,
        "For a second person; what nobody approves before a closing is not in it.",
    ),
    lines(
        "Facts of nobody",
        {"{{kind}}": "max by (kind) (conditionality_unmatched_facts)"},
        COUNT,
        "Reported of persons whom no registered family has; pkh unmatched says by whom.",
    ),
)

LAST_CYCLES: Final[Panels] = (
    bars(
        "The last two cycles",
        "max by (cycle, result) (projection_evaluated_families)",
        "{{cycle}}, {{result}}",
        COUNT,
        "Families by how they were judged, the latest cycle beside the one before.",
        width=12,
    ),
    lines(
        "Share of families that failed",
        {"{{cycle}}": "cycle:projection_failed_families:ratio"},
        SHARE,
        "Of all that were judged; a jump is a wrong report more often than it is the families.",
        width=12,
    ),
)

OF_THE_TAHAP: Final[Panels] = (
    rows(
        "Commitment in tahap $tahap",
        COMMITMENT,
        "How the cycles were judged.",
        width=12,
    ),
    rows(
        "Sessions in tahap $tahap",
        SESSIONS,
        "Of groups by their regency: marks and families reached, of those that take part.",
        width=12,
    ),
)

FIELD: Final = Audience(
    "field",
    "PKH field work",
    "Duties, sessions, cases and changes that wait for somebody.",
    {"What is due": DUE, "How cycles are judged": LAST_CYCLES, "Tahap $tahap": OF_THE_TAHAP},
    by_tahap=True,
)
