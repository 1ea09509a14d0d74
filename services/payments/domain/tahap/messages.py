"""Commands to a tahap and its events from the list to the close; announcements stand apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.announcement_messages import (
    AnnouncementCommand,
    AnnouncementEvent,
)
from services.payments.domain.tahap.cancellation_messages import (
    CancellationCommand,
    CancellationEvent,
)


@dataclass(frozen=True, slots=True)
class Deferral:
    """A family that a list is frozen without, by name, and why, as a code like UNDER_REVIEW.

    The reason is a code because it is published: free text could hold personal data.
    """

    family: str
    reason: str


# -- Commands


@dataclass(frozen=True, slots=True)
class RequestBuckets:
    """Ask a topic's owner for buckets (two hex digits each) that arrived otherwise than counted.

    `attempt` counts from 1 per topic, so that one attempt asks once however often it is tried.
    """

    topic: str
    buckets: tuple[str, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class MarkListReady:
    """Say what the joined list of a run comes to; counters and buckets have been proven.

    `count` and `rupiah` are of the families to be entitled, `cut` is what of it is not paid;
    `missing` are those that did not arrive complete and can only be deferred, `withheld` counts
    those that the registry withheld beyond them.
    """

    hash: str
    count: int
    rupiah: int
    missing: tuple[str, ...] = ()
    kind: str = REGULAR
    cut: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class ProposeFreeze:
    """The maker's proposal to freeze exactly this list, deferring exactly these families."""

    maker: str
    hash: str
    deferred: tuple[Deferral, ...] = ()
    kind: str = REGULAR


@dataclass(frozen=True, slots=True)
class ApproveFreeze:
    """The checker's approval of the proposed hash.

    `withheld` are by name, and with the registry's reason, those that the list only counts.
    """

    checker: str
    hash: str
    kind: str = REGULAR
    withheld: tuple[Deferral, ...] = ()


@dataclass(frozen=True, slots=True)
class AwaitFamily:
    """Take a family in that the registry has re-opened for the tahap, behind its frozen list.

    `listed`: the list that was frozen holds a line by which it is paid.
    """

    family: str
    reopening: int
    listed: bool


@dataclass(frozen=True, slots=True)
class OpenSupplementary:
    """Open the n-th supplementary run, for families that were deferred.

    `day` is the one that its payments count for, where a hold's last day is held against it.
    """

    number: int
    families: tuple[str, ...]
    day: date | None = None


@dataclass(frozen=True, slots=True)
class DeferFamilies:
    """Leave these families of a run's frozen list to a supplementary run, each with its reason."""

    deferred: tuple[Deferral, ...]
    kind: str = REGULAR


@dataclass(frozen=True, slots=True)
class MarkRunReconciled:
    """Say that the run of this kind is reconciled; its own stream has the document."""

    kind: str = REGULAR


@dataclass(frozen=True, slots=True)
class CloseTahap:
    """Close the tahap; deferred families that are never paid are named, each with its reason."""

    lapsed: tuple[Deferral, ...] = ()


Command: TypeAlias = (
    AnnouncementCommand
    | CancellationCommand
    | RequestBuckets
    | MarkListReady
    | ProposeFreeze
    | ApproveFreeze
    | DeferFamilies
    | AwaitFamily
    | OpenSupplementary
    | MarkRunReconciled
    | CloseTahap
)


# -- Events


@dataclass(frozen=True, slots=True)
class BucketRequested:
    """These buckets of a topic differ from what was counted and are asked for again."""

    tahap: str
    topic: str
    buckets: tuple[str, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class ListReady:
    """The list of a run can be frozen as it stands; replaces what was ready before."""

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    missing: tuple[str, ...]
    cut: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class FreezeProposed:
    """A maker proposes to freeze; replaces an earlier proposal."""

    tahap: str
    kind: str
    hash: str
    maker: str
    deferred: tuple[Deferral, ...]


@dataclass(frozen=True, slots=True)
class ListFrozen:
    """The regular list of the tahap is frozen; later facts change it no more.

    `rupiah` is what its families are entitled to, `cut` what of it is not paid. Beyond those that
    it names, `withheld` families are deferred whom the registry could not list.
    """

    tahap: str
    hash: str
    count: int
    rupiah: int
    deferred: tuple[Deferral, ...]
    maker: str
    checker: str
    cut: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class FamilyAwaited:
    """A re-opened family waits for a supplementary run; a tahap that was closed is open again."""

    tahap: str
    family: str
    reopening: int


@dataclass(frozen=True, slots=True)
class SupplementaryOpened:
    """A supplementary run takes up these families; its payments count for `day`."""

    tahap: str
    kind: str
    families: tuple[str, ...]
    day: date | None = None


@dataclass(frozen=True, slots=True)
class SupplementaryFrozen:
    """The list of a supplementary run is frozen."""

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    deferred: tuple[Deferral, ...]
    maker: str
    checker: str
    cut: int = 0


@dataclass(frozen=True, slots=True)
class FamiliesDeferred:
    """Families of a frozen list are deferred by name after all; their lines left the run."""

    tahap: str
    kind: str
    deferred: tuple[Deferral, ...]


@dataclass(frozen=True, slots=True)
class RunSettled:
    """The run of this kind is reconciled."""

    tahap: str
    kind: str


@dataclass(frozen=True, slots=True)
class TahapClosed:
    """Every run is reconciled and every deferred family paid or named as lapsed."""

    tahap: str
    lapsed: tuple[Deferral, ...]


Event: TypeAlias = (
    AnnouncementEvent
    | CancellationEvent
    | BucketRequested
    | ListReady
    | FreezeProposed
    | ListFrozen
    | FamilyAwaited
    | SupplementaryOpened
    | SupplementaryFrozen
    | FamiliesDeferred
    | RunSettled
    | TahapClosed
)
