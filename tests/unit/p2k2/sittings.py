"""Sittings in which the tests of sessions speak."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.p2k2.domain.curriculum import Lesson
from services.p2k2.domain.session import SessionHeld, SessionPlanned, Sitting

DAY: Final = date(2023, 1, 5)
NUMBER: Final = "S0000001"
GROUP: Final = "G6103012026-1"
SITTING: Final = Sitting(
    GROUP, "61.03.01.2026", "PD610301", DAY, "", "Balai desa", Lesson("KEUANGAN", 1, 3, 2)
)
PLANNED: Final = SessionPlanned(NUMBER, SITTING)
HELD: Final = SessionHeld(NUMBER, SITTING)


def sitting(**changes: Any) -> Sitting:
    """The sitting, but for what is changed."""
    return replace(SITTING, **changes)
