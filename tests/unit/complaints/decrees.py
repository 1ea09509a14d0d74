"""The ladder of terms as it was before a decree came out."""

from __future__ import annotations

from dataclasses import replace

from services.complaints import policy
from services.complaints.domain.deadlines import Ladder
from services.complaints.domain.working_days import WorkingDays


def ladder_decreed_to(year: int) -> Ladder:
    """Today's ladder, with the decrees up to a year alone."""
    ladder = policy.load().ladder
    known = {each: days for each, days in ladder.working.holidays.items() if each <= year}
    return replace(ladder, working=WorkingDays(known))
