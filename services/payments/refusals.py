"""What payments refuses at each of its doors, as the description of its interface tells it."""

from __future__ import annotations

from typing import Final

from libs.chassis.openapi import refuses
from libs.events.errors import DomainError
from services.payments.domain.errors import (
    Contradiction,
    FamiliesOutstanding,
    Malformed,
    MissingNotDeferred,
    NotDeferred,
    NothingProposed,
    NothingToPay,
    NotMissing,
    RunsOpen,
    SamePerson,
    StaleHash,
    StepNotReached,
    TahapIsClosed,
    TotalsDiffer,
    UnverifiedBenefit,
)
from services.payments.policy import NoRuleSet
from services.payments.versions import TahapUnknown
from services.payments.views import OrderDiffers


class ListMoved(DomainError):
    """The list has moved since it was proven; look at it again."""


_STEP: Final = (TahapUnknown, StepNotReached, TahapIsClosed, Contradiction)
_RUN_STEP: Final = (TahapUnknown, StepNotReached, Contradiction)

ANNOUNCED: Final = refuses(Contradiction, Malformed, NoRuleSet, UnverifiedBenefit)
PROPOSED: Final = refuses(*_STEP, StaleHash, MissingNotDeferred, NotMissing, Malformed)
FROZEN: Final = refuses(*_STEP, ListMoved, NothingProposed, SamePerson, StaleHash)
OPENED: Final = refuses(*_STEP, NotDeferred, MissingNotDeferred)
CLOSED: Final = refuses(*_STEP, RunsOpen, FamiliesOutstanding, NotMissing, Malformed)
ORDER_PROPOSED: Final = refuses(*_RUN_STEP, OrderDiffers, NothingToPay, TotalsDiffer)
ORDERED: Final = refuses(*_RUN_STEP, NothingProposed, SamePerson, StaleHash)
