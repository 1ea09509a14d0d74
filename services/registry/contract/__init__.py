"""Messages across the registry's border: those it sends, and those it reads from others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from libs.events.domain.list_proof import Buckets
from libs.events.store.model import AS_STORED, Message, Outcome, StreamType
from services.registry.contract.facts import (
    FamilyMoved,
    FamilyRegistered,
    MemberBorn,
    MemberDied,
    MembersRegistered,
    PayeeChanged,
    PregnancyReported,
    SchoolChanged,
    fact_of,
)
from services.registry.contract.narrowed import (
    MemberBornV2,
    MembersRegisteredV2,
    PregnancyReportedV2,
    ReopeningProposedV2,
    WideFact,
    narrowed,
    narrowed_late,
)
from services.registry.domain import erasure as erasures
from services.registry.domain.erasure import Erasure, FamilyErased, erasure
from services.registry.domain.family import commands, events, family
from services.registry.domain.family.events import (
    FamilyListed,
    LineOutcome,
    RosterMember,
    Status,
)
from services.registry.domain.family.state import Family
from services.registry.domain.listing import messages as lists
from services.registry.domain.listing.decider import listing
from services.registry.domain.listing.messages import (
    FamiliesWithheld,
    ListClosed,
    ListingStarted,
)
from services.registry.domain.listing.state import Listing

SERVICE: Final = "registry"
FAMILY_TOPIC: Final = "pkh.registry.family.v1"
NARROW_TOPIC: Final = "pkh.registry.family.v2"
ROSTER_TOPIC: Final = "pkh.registry.roster.v1"
GROUP_TOPIC: Final = "pkh.registry.group.v1"
TAHAP_TOPIC: Final = "pkh.payments.tahap.v1"
COMMITMENT_TOPIC: Final = "pkh.conditionality.commitment.v1"
CASE_TOPIC: Final = "pkh.complaints.case.v1"

# -- Sent. FamilyListed, PersonsRegistered, GroupAssigned, FamiliesWithheld, ListClosed and
# ListingStarted go out as they are stored; a family's facts as contract/facts.py has them. What
# goes to FAMILY_TOPIC goes out on the topic that narrows it as well; what names a day of a birth or
# a pregnancy stands beside the log, and in the log stands what the narrow topic tells of it.


@dataclass(frozen=True, slots=True)
class FamilyDesignated:
    """The family was judged, once, at its first closing; `reason` is empty when ELIGIBLE."""

    family: str
    tahap: str
    status: Status
    reason: str
    region: str


@dataclass(frozen=True, slots=True)
class FamilyGraduated:
    """The family has left the programme with this tahap, because no category is left."""

    family: str
    tahap: str
    kind: Literal["NATURAL"]
    region: str


@dataclass(frozen=True, slots=True)
class GraduationPending:
    """No category is left: from a closing on or after `graduates_from` on, the family graduates.

    Until then it is in the programme; nothing is owed for this tahap unless a fact that is
    reported by `term_ends_on` tells otherwise.
    """

    family: str
    tahap: str
    region: str
    graduates_from: date
    term_ends_on: date


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact that the list did not know: the type of its event, its dates, who recorded it.

    What came with the family's card has no dates.
    """

    fact: str
    effective_on: date | None
    reported_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ReopeningProposed:
    """Late facts would have listed the family at a tahap; another person decides on it."""

    family: str
    tahap: str
    reopening: int
    region: str
    late: tuple[LateFact, ...]


@dataclass(frozen=True, slots=True)
class FamilyUnlisted:
    """A tahap was cancelled: its list's judgement, graduation and line of the family are void."""

    family: str
    tahap: str
    revision: int


@dataclass(frozen=True, slots=True)
class ErasureApproved:
    """Two people erase the family: it has left, and nothing more is sent to it.

    Who keeps whose person it is, or shows anything of it, forgets that.
    """

    family: str


# -- Publishing


def publish(event: events.Event, state: Family) -> Message | None:
    """The message of a family's event to others; None stays inside."""
    match event:
        case events.GroupAssigned():
            return Message(GROUP_TOPIC, event.family)
        case events.FamilyListed() | events.PersonsRegistered():
            return Message(ROSTER_TOPIC, event.family, AS_STORED)
        case events.FamilyDesignated():
            designated = FamilyDesignated(
                event.family, event.tahap, event.status, event.reason, event.region
            )
            return Message(FAMILY_TOPIC, event.family, designated)
        case events.FamilyGraduated():
            graduated = FamilyGraduated(event.family, event.tahap, event.kind, event.region)
            return Message(FAMILY_TOPIC, event.family, graduated)
        case events.GraduationPending():
            pending = GraduationPending(
                event.family, event.tahap, event.region, event.graduates_from, event.term_ends_on
            )
            return Message(FAMILY_TOPIC, event.family, pending)
        case events.ReopeningProposed():
            about = event.family, event.tahap, event.reopening, event.line.region
            late = tuple(_late(fact) for fact in event.late)
            narrow = ReopeningProposedV2(*about, narrowed_late(event.late))
            return Message(NARROW_TOPIC, event.family, narrow, ReopeningProposed(*about, late))
        case events.ReopeningWithdrawn() | events.ReopeningRejected() | events.FamilyReopened():
            return Message(FAMILY_TOPIC, event.family, AS_STORED)
        case events.FamilyUnlisted():
            unlisted = FamilyUnlisted(event.family, event.tahap, event.revision)
            return Message(FAMILY_TOPIC, event.family, unlisted)
        case events.FamilyReinstated():
            return Message(ROSTER_TOPIC, event.family, AS_STORED)
        case events.TerminationTakenBack() | events.OrderAnswered():
            return Message(FAMILY_TOPIC, event.family, AS_STORED)
        case events.DuplicateMarked() | events.FamilyTerminated():
            return None
        case events.TakeBackProposed() | events.TakeBackRejected():
            return None
        case (
            events.ChangeProposed()
            | events.ChangeApproved()
            | events.ChangeRejected()
            | events.ChangeWithdrawn()
            | events.NikRecorded()
            | events.PersonAdjudicated()
        ):
            return None  # what waits is nobody's yet; what was approved follows as a fact
        case _:
            fact = fact_of(event, state)
            if isinstance(fact, WideFact):
                return Message(NARROW_TOPIC, state.family, narrowed(fact), fact)
            return Message(FAMILY_TOPIC, state.family, fact)


def _late(late: events.LateFact) -> LateFact:
    since = late.effective_on and late.effective_on.clear
    return LateFact(late.fact, since, late.reported_on, late.recorded_by)


def publish_listing(event: lists.Event, state: Listing) -> Message | None:
    """The message of a list's event to others; None stays inside."""
    match event:
        case ListClosed() | FamiliesWithheld():
            return Message(ROSTER_TOPIC, event.tahap, AS_STORED)
        case ListingStarted():
            return Message(FAMILY_TOPIC, event.tahap, AS_STORED)
        case _:
            return None


def publish_erasure(event: erasures.Event, state: Erasure) -> Message | None:
    """The message of an erasure's step to others, without who decided it; None stays inside.

    The approval goes to those who pay and judge; that it is carried out to everybody.
    """
    match event:
        case erasures.ErasureApproved():
            return Message(ROSTER_TOPIC, event.family, ErasureApproved(event.family))
        case FamilyErased():
            return Message(FAMILY_TOPIC, event.family, AS_STORED)
        case erasures.ErasureProposed():
            return None


@dataclass(frozen=True, slots=True)
class Tally:
    """The lines that a chunk of families came to, and those who wait without one."""

    listed: int
    graduated: int
    pending: int
    buckets: Buckets


def tally(outcomes: Iterable[Outcome[Any, Any]]) -> Tally:
    """Count the lines among handled families' outcomes, and sum the values as they are sent."""
    counts: dict[LineOutcome, int] = {events.LISTED: 0, events.GRADUATED_NATURAL: 0}
    pending = 0
    lines: list[tuple[str, bytes]] = []
    for outcome in outcomes:
        lines += [(p.key, p.value) for p in outcome.published if p.topic == ROSTER_TOPIC]
        for event in outcome.events:
            if isinstance(event, FamilyListed):
                counts[event.outcome] += 1
            pending += isinstance(event, events.GraduationPending)
    return Tally(
        listed=counts[events.LISTED],
        graduated=counts[events.GRADUATED_NATURAL],
        pending=pending,
        buckets=Buckets.of(lines),
    )


# -- Streams. Stored type names are a disk format, and the names of their classes: never renamed.

FAMILY: Final[StreamType[commands.Command, Family, events.Event]] = StreamType(
    name="family",
    decider=family,
    events={
        "FamilyRegistered": events.FamilyRegistered,
        "GroupAssigned": events.GroupAssigned,
        "MembersRegistered": events.MembersRegistered,
        "PersonsRegistered": events.PersonsRegistered,
        "MemberBorn": events.MemberBorn,
        "MemberDied": events.MemberDied,
        "SchoolChanged": events.SchoolChanged,
        "PregnancyReported": events.PregnancyReported,
        "FamilyMoved": events.FamilyMoved,
        "PayeeChanged": events.PayeeChanged,
        "NikRecorded": events.NikRecorded,
        "PersonAdjudicated": events.PersonAdjudicated,
        "ChangeProposed": events.ChangeProposed,
        "ChangeApproved": events.ChangeApproved,
        "ChangeRejected": events.ChangeRejected,
        "ChangeWithdrawn": events.ChangeWithdrawn,
        "DuplicateMarked": events.DuplicateMarked,
        "FamilyDesignated": events.FamilyDesignated,
        "FamilyListed": events.FamilyListed,
        "GraduationPending": events.GraduationPending,
        "FamilyGraduated": events.FamilyGraduated,
        "ReopeningProposed": events.ReopeningProposed,
        "ReopeningWithdrawn": events.ReopeningWithdrawn,
        "ReopeningRejected": events.ReopeningRejected,
        "FamilyReopened": events.FamilyReopened,
        "FamilyUnlisted": events.FamilyUnlisted,
        "FamilyTerminated": events.FamilyTerminated,
        "TakeBackProposed": events.TakeBackProposed,
        "TakeBackRejected": events.TakeBackRejected,
        "TerminationTakenBack": events.TerminationTakenBack,
        "FamilyReinstated": events.FamilyReinstated,
        "OrderAnswered": events.OrderAnswered,
    },
    publish=publish,
    snapshot=(Family, 10),
    family_of=lambda stream: stream.removeprefix("family-"),
)

LISTING: Final[StreamType[lists.Command, Listing, lists.Event]] = StreamType(
    name="listing",
    decider=listing,
    events={
        "ListingStarted": lists.ListingStarted,
        "ListingAdvanced": lists.ListingAdvanced,
        "FamiliesWithheld": lists.FamiliesWithheld,
        "WithheldProposed": lists.WithheldProposed,
        "WithheldAccepted": lists.WithheldAccepted,
        "ListClosed": lists.ListClosed,
        "ListingFrozen": lists.ListingFrozen,
        "ListingCancelled": lists.ListingCancelled,
    },
    publish=publish_listing,
    snapshot=(Listing, 9),
)

ERASURE: Final[StreamType[erasures.Command, Erasure, erasures.Event]] = StreamType(
    name="erasure",
    decider=erasure,
    events={
        "ErasureProposed": erasures.ErasureProposed,
        "ErasureApproved": erasures.ErasureApproved,
        "FamilyErased": FamilyErased,
    },
    publish=publish_erasure,
)

__all__ = [
    "CASE_TOPIC",
    "COMMITMENT_TOPIC",
    "ERASURE",
    "FAMILY",
    "FAMILY_TOPIC",
    "LISTING",
    "ROSTER_TOPIC",
    "TAHAP_TOPIC",
    "ErasureApproved",
    "FamiliesWithheld",
    "FamilyDesignated",
    "FamilyErased",
    "FamilyGraduated",
    "FamilyListed",
    "FamilyMoved",
    "FamilyRegistered",
    "FamilyUnlisted",
    "GraduationPending",
    "ListClosed",
    "ListingStarted",
    "MemberBorn",
    "MemberBornV2",
    "MemberDied",
    "MembersRegistered",
    "MembersRegisteredV2",
    "PayeeChanged",
    "PregnancyReported",
    "PregnancyReportedV2",
    "ReopeningProposed",
    "ReopeningProposedV2",
    "RosterMember",
    "SchoolChanged",
    "Tally",
    "publish",
    "publish_listing",
    "tally",
]
