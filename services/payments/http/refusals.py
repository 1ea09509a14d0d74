"""Refusals at each of payments' doors, as the description of its interface tells them."""

from __future__ import annotations

from typing import Final

from libs.chassis.bodies import TahapUnknown
from libs.chassis.openapi import refuses
from libs.events.domain.errors import DomainError
from services.payments.domain.shared.errors import (
    AnnouncedAlready,
    AnnouncementRefused,
    Contradiction,
    DiffNotAcknowledged,
    FamiliesOutstanding,
    LaterTahapStands,
    Malformed,
    MissingNotDeferred,
    NoIncident,
    NotAfterOtherTahap,
    NotDeferred,
    NothingProposed,
    NothingToPay,
    NotMissing,
    PositionAheadOfLog,
    RuleSetNotRun,
    RunsOpen,
    SamePerson,
    StaleHash,
    StepNotReached,
    TahapIsClosed,
    TooLateToCancel,
    TooManyUnanswered,
    TotalsDiffer,
    UnverifiedBenefit,
)
from services.payments.http.answers import OrderDiffers
from services.payments.policy import NoRuleSet


class ListMoved(DomainError):
    """The list has moved since it was proven; look at it again."""


_STEP: Final = (TahapUnknown, StepNotReached, TahapIsClosed, Contradiction)
_RUN_STEP: Final = (TahapUnknown, StepNotReached, Contradiction)

SILENT: Final = (503, "service-silent")

_TERMS: Final = (
    AnnouncementRefused,
    NotAfterOtherTahap,
    PositionAheadOfLog,
    RuleSetNotRun,
    UnverifiedBenefit,
    SILENT,
)

ANNOUNCEMENT_PROPOSED: Final = refuses(*_TERMS, AnnouncedAlready, NoRuleSet)
ANNOUNCED: Final = refuses(
    *_TERMS, TahapUnknown, StepNotReached, NothingProposed, SamePerson, StaleHash
)
WITHDRAWN: Final = refuses(TahapUnknown)
CANCELLATION_PROPOSED: Final = refuses(
    TahapUnknown, StepNotReached, TooLateToCancel, LaterTahapStands
)
CORRECTION_PROPOSED: Final = refuses(
    *_TERMS, TahapUnknown, StepNotReached, TooLateToCancel, LaterTahapStands, NoRuleSet
)
CANCELLED: Final = refuses(
    *_TERMS,
    *(TahapUnknown, StepNotReached, TooLateToCancel, LaterTahapStands),
    *(NothingProposed, SamePerson, StaleHash),
)
PROPOSED: Final = refuses(
    *_STEP, StaleHash, DiffNotAcknowledged, MissingNotDeferred, NotMissing, Malformed
)
FROZEN: Final = refuses(
    *_STEP, ListMoved, NothingProposed, SamePerson, StaleHash, DiffNotAcknowledged
)
OPENED: Final = refuses(*_STEP, NotDeferred, MissingNotDeferred, Malformed)
CLOSE_PROPOSED: Final = refuses(*_STEP, RunsOpen, FamiliesOutstanding, NotMissing, Malformed)
CLOSED: Final = refuses(
    *(*_STEP, RunsOpen, FamiliesOutstanding, NotMissing),
    *(NothingProposed, SamePerson, StaleHash),
)
UNANSWERED_PROPOSED: Final = refuses(*_RUN_STEP, StaleHash, TooManyUnanswered)
UNANSWERED_DEFERRED: Final = refuses(
    *_RUN_STEP, NothingProposed, SamePerson, StaleHash, TooManyUnanswered
)
INCIDENT_JUDGED: Final = refuses(TahapUnknown, StepNotReached, NoIncident)
ORDER_PROPOSED: Final = refuses(*_RUN_STEP, OrderDiffers, NothingToPay, TotalsDiffer)
ORDERED: Final = refuses(*_RUN_STEP, NothingProposed, SamePerson, StaleHash)
