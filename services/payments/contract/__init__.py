"""The messages of payments on its two topics, and its kinds of streams.

Events are published as they are stored, field for field; proposals, those of a hold that moves
nothing, and steps that only payments waits for, stay inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from libs.events.store.model import Message, StreamType, published
from services.payments.domain.administrative_hold import messages as administrative
from services.payments.domain.administrative_hold.decider import (
    AdministrativeHold,
    administrative_hold,
)
from services.payments.domain.payment import messages as payments
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import PaymentState, identity_of
from services.payments.domain.run import messages as runs
from services.payments.domain.run.decider import run
from services.payments.domain.run.state import RunState
from services.payments.domain.tahap import messages as tahaps
from services.payments.domain.tahap.decider import tahap
from services.payments.domain.tahap.state import TahapState

SERVICE: Final = "payments"
TAHAP_TOPIC: Final = "pkh.payments.tahap.v1"
PAYMENT_TOPIC: Final = "pkh.payments.payment.v1"
ROSTER_TOPIC: Final = "pkh.registry.roster.v1"
COMMITMENT_TOPIC: Final = "pkh.conditionality.commitment.v1"
ANNOUNCED_TO: Final = ("registry", "conditionality")
"""The services that an announcement starts; each is asked beforehand whether it can."""


def _named(events: object) -> Mapping[str, type[Any]]:
    """The events of a union by their names."""
    return {event.__name__: event for event in get_args(events)}


# -- Sent ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EffectTooLate:
    """A hold or a release came when the money could not follow; `hold` is how it stays."""

    payment: str
    tahap: str
    family: str
    effect: str
    wanted: HoldStatus
    hold: HoldStatus


def too_late(event: payments.EffectTooLate, state: PaymentState) -> Message | None:
    """The message that a hold or a release came too late, with how the money is held."""
    # Before the entitlement nobody outside knows of this payment, so there is none to speak of.
    if (of := identity_of(state)) is None:
        return None
    hold = state.hold.status
    too_late = EffectTooLate(of.payment, of.tahap, of.family, event.effect, event.wanted, hold)
    return Message(PAYMENT_TOPIC, of.family, too_late)


# -- Streams. Stored type names are a disk format, and the names of their classes: never renamed. --

PAYMENT: Final[StreamType[payments.Command, PaymentState, payments.Event]] = StreamType(
    name="payment",
    decider=payment,
    events=_named(payments.Event),
    publish=published(
        PAYMENT_TOPIC,
        "family",
        inside=(
            payments.HoldPlaced,
            payments.HoldCleared,
            payments.HoldLifted,
            payments.HoldForfeited,
            payments.CutCorrected,
        ),
        otherwise={payments.EffectTooLate: too_late},
    ),
    snapshot=(PaymentState, 4),
)

TAHAP: Final[StreamType[tahaps.Command, TahapState, tahaps.Event]] = StreamType(
    name="tahap",
    decider=tahap,
    events=_named(tahaps.Event),
    publish=published(
        TAHAP_TOPIC,
        "tahap",
        inside=(
            tahaps.AnnouncementProposed,
            tahaps.ProposalWithdrawn,
            tahaps.CancellationProposed,
            tahaps.ReannouncementApproved,
            tahaps.CancellationCompleted,
            tahaps.ListReady,
            tahaps.FreezeProposed,
            tahaps.FamiliesDeferred,
            tahaps.RunSettled,
            tahaps.CloseProposed,
        ),
    ),
)

RUN: Final[StreamType[runs.Command, RunState, runs.Event]] = StreamType(
    name="run",
    decider=run,
    events=_named(runs.Event),
    publish=published(
        TAHAP_TOPIC,
        "tahap",
        inside=(
            runs.RunOpened,
            runs.RunCancelled,
            runs.ListEntitled,
            runs.UnansweredProposed,
            runs.TransfersRecorded,
            runs.PartnerIncidentFound,
            runs.PartnerIncidentJudged,
        ),
    ),
)

ADMINISTRATIVE_HOLD: Final[
    StreamType[administrative.Command, AdministrativeHold, administrative.Event]
] = StreamType(
    name="administrative-hold",
    decider=administrative_hold,
    events=_named(administrative.Event),
    publish=published(
        PAYMENT_TOPIC,
        "family",
        inside=(
            administrative.AdministrativeHoldProposed,
            administrative.AdministrativeHoldEndProposed,
        ),
    ),
)


# -- Read from registry: pkh.registry.roster.v1 ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class RosterMember:
    """A member on the roster: `token` stands for the person, `closing` are its categories.

    Who is `not_counted`, for a reason that registry gives, brings no money.
    """

    member: int
    token: str
    seniority: int
    closing: tuple[str, ...]
    not_counted: str = ""


@dataclass(frozen=True, slots=True)
class FamilyListed:
    """One line of a tahap's roster; account and payee are sealed, null where it graduated.

    A line with a `reopening` comes behind the list: the family is paid by a supplementary run.
    """

    tahap: str
    rule_set: str
    revision: int
    family: str
    outcome: Literal["LISTED", "GRADUATED_NATURAL"]
    region: str
    payee_valid: bool
    bank: str | None
    account_no: str | None
    account_name: str | None
    payee_nik: str | None
    members: tuple[RosterMember, ...]
    reopening: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """A family that the registry could not list; `reason` is a code."""

    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListClosed:
    """The roster is complete: its lines by outcome and by bucket (count, hash sum).

    Who is `pending` has no line and is owed nothing; who is `withheld` can only be deferred, and so
    can the `withheld_more` whom messages before this one name.
    """

    tahap: str
    revision: int
    listed: int
    graduated: int
    buckets: Mapping[str, tuple[int, str]]
    pending: int = 0
    withheld: tuple[Withheld, ...] = ()
    withheld_more: int = 0


@dataclass(frozen=True, slots=True)
class FamiliesWithheld:
    """Families of a list that the registry withheld, beyond those that its end names."""

    tahap: str
    revision: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class ErasureApproved:
    """A family is being erased: it has left, and nothing more is sent to it."""

    family: str
