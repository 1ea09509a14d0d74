"""Messages of pkh.complaints.case.v1, each under its case, and the streams of complaints.

A case goes out by an id of its own and, where it is of one, by its family's id: no person's name,
nobody's words, no account of a channel, no receipt number and no PIN. `family` stands in each
message of a family's case, so that the family's timeline shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, get_args

from libs.events.store.model import AS_STORED, Message, StreamType, published
from services.complaints.domain import remedy as remedies
from services.complaints.domain.case import (
    Case,
    CaseDated,
    CaseEscalated,
    CaseFiled,
    CaseReceived,
    CaseResolved,
    Command,
    Event,
    case,
)
from services.complaints.domain.erasing import Event as Erasing
from services.complaints.domain.handling import INSIDE
from services.complaints.domain.handling import Event as Handled
from services.complaints.domain.remedy import OrderRequested, Remedy, remedy

SERVICE: Final = "complaints"
TOPIC: Final = "pkh.complaints.case.v1"
COMMITMENT_TOPIC: Final = "pkh.conditionality.commitment.v1"
FAMILY_TOPIC: Final = "pkh.registry.family.v2"

# -- Sent, each under its case. Those of case.py's events that stand not here go out as stored.


@dataclass(frozen=True, slots=True)
class AppealOpened:
    """A family's case appeals against an effect of a tahap's cycle.

    `regions` are those of who opened it: where the family lives in none of them, it is refused.
    """

    case: str
    family: str
    tahap: str
    effect: remedies.Effect
    received_on: date
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppealDecided:
    """Two people have ended an appeal; `regions` are those of who decided, as of who opened it.

    `decision` counts the decisions on it: one that was refused is followed by another.
    """

    case: str
    family: str
    tahap: str
    effect: remedies.Effect
    outcome: remedies.AppealOutcome
    decided_on: date
    regions: tuple[str, ...] = ()
    decision: int = 1


def publish_remedy(event: remedies.Event, state: Remedy) -> Message | None:
    """The message of an appeal, or of an order as it is stored; what others answered stays here."""
    match event:
        case remedies.AppealOpened():
            appeal = event.case, event.family, event.tahap, event.effect
            opened = AppealOpened(*appeal, event.received_on, event.regions)
            return Message(TOPIC, event.case, opened)
        case remedies.AppealDecided():
            appeal = event.case, event.family, event.tahap, event.effect
            by = event.decided_on, event.regions, event.decision
            decided = AppealDecided(*appeal, event.outcome, *by)
            return Message(TOPIC, event.case, decided)
        case OrderRequested():
            return Message(TOPIC, event.case, AS_STORED)
        case _:
            return None


# -- Read from others, each on its own topic


@dataclass(frozen=True, slots=True)
class OrderAnswered:
    """A service has answered an order of a case."""

    order: str
    case: str
    outcome: remedies.Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AppealPaused:
    """Conditionality pauses what a case appeals against."""

    case: str


@dataclass(frozen=True, slots=True)
class AppealNotPaused:
    """Nothing waits for a case's appeal, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppealDecisionRefused:
    """A decision on a case's appeal, by its number, is taken for none."""

    case: str
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class AppealEnded:
    """Nothing waits for a case's appeal any more."""

    case: str
    outcome: str


@dataclass(frozen=True, slots=True)
class FamilyErased:
    """Two people had the family erased."""

    family: str


# -- Streams

CASE: Final[StreamType[Command, Case, Event]] = StreamType(
    name="case",
    decider=case,
    events={
        event.__name__: event
        for event in (
            *(CaseReceived, CaseFiled, CaseEscalated, CaseDated, CaseResolved),
            *get_args(Handled),
            *get_args(Erasing),
        )
    },
    publish=published(TOPIC, "case", inside=[CaseFiled, *INSIDE, *get_args(Erasing)]),
)

REMEDY: Final[StreamType[remedies.Command, Remedy, remedies.Event]] = StreamType(
    name="remedy",
    decider=remedy,
    events={
        "AppealOpened": remedies.AppealOpened,
        "AppealDecided": remedies.AppealDecided,
        "OrderRequested": OrderRequested,
        "AnswerNoted": remedies.AnswerNoted,
        "PauseNoted": remedies.PauseNoted,
        "RefusalNoted": remedies.RefusalNoted,
        "EndNoted": remedies.EndNoted,
    },
    publish=publish_remedy,
)
