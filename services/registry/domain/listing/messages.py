"""Commands to the list of a tahap, and its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from libs.events.domain.list_proof import Buckets, BucketsJson
from services.registry.domain.closing import RuleSet

# -- Commands


@dataclass(frozen=True, slots=True)
class StartListing:
    """Begin a list of the tahap from the events at or before `cut`, the registry's head.

    `rules` are those that `policies` name, word for word.
    """

    tahap: str
    revision: int
    months: tuple[str, ...]
    closing_date: date
    policies: Mapping[str, str]
    cut: int
    rules: RuleSet | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A family that cannot be listed, and the code of why; it is owed nothing until it is."""

    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class AdvanceListing:
    """Count a chunk's lines; `cursor` is the last family id that was looked at.

    `pending` families wait for their graduation and have no line.
    """

    revision: int
    cursor: str
    listed: int
    graduated: int
    buckets: Buckets
    pending: int = 0
    withheld: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposeWithheld:
    """The maker's proposal to let up to `most` families of the list be withheld that need not be.

    Everybody counts whose reason need not be their own.
    """

    most: int
    maker: str


@dataclass(frozen=True, slots=True)
class ApproveWithheld:
    """Another person's approval of the proposal of this number."""

    most: int
    checker: str


@dataclass(frozen=True, slots=True)
class CloseListing:
    """Close the list: every family was looked at."""

    revision: int


@dataclass(frozen=True, slots=True)
class NoteFreeze:
    """Payments' list of the tahap is frozen: whoever is listed from now on is paid beside it."""

    tahap: str


@dataclass(frozen=True, slots=True)
class CancelListing:
    """End the list of a tahap that was cancelled, whether it is complete or not."""

    revision: int


Command: TypeAlias = (
    StartListing
    | AdvanceListing
    | ProposeWithheld
    | ApproveWithheld
    | CloseListing
    | NoteFreeze
    | CancelListing
)


# -- Events


@dataclass(frozen=True, slots=True)
class ListingStarted:
    """The tahap's list is being made from the events at or before `cut`, by these rules.

    What is reported after `closing_date` or stored behind `cut` is not known to the list.
    """

    tahap: str
    revision: int
    months: tuple[str, ...]
    closing_date: date
    policies: Mapping[str, str]
    cut: int
    rules: RuleSet | None = None


@dataclass(frozen=True, slots=True)
class ListingAdvanced:
    """The families up to `cursor` are listed, or withheld by name; the figures are this chunk's."""

    revision: int
    cursor: str
    listed: int
    graduated: int
    buckets: BucketsJson
    pending: int = 0
    withheld: tuple[Withheld, ...] = ()


@dataclass(frozen=True, slots=True)
class FamiliesWithheld:
    """Families of a list that are withheld, beyond those that its end can name."""

    tahap: str
    revision: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class WithheldProposed:
    """Somebody proposes to accept up to `most` families that are withheld and could be mended."""

    tahap: str
    revision: int
    most: int
    maker: str


@dataclass(frozen=True, slots=True)
class WithheldAccepted:
    """Two people have agreed that the list goes on, and rests again beyond `most` such families."""

    tahap: str
    revision: int
    most: int
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class ListClosed:
    """The list is complete: its lines, by outcome and by bucket, and who could have none.

    `withheld_more` families were withheld beyond those that are named here; messages before this
    one name them.
    """

    tahap: str
    revision: int
    cut: int
    listed: int
    graduated: int
    buckets: BucketsJson
    pending: int = 0
    withheld: tuple[Withheld, ...] = ()
    withheld_more: int = 0


@dataclass(frozen=True, slots=True)
class ListingFrozen:
    """Payments' list of the tahap is frozen."""

    tahap: str


@dataclass(frozen=True, slots=True)
class ListingCancelled:
    """The tahap was cancelled: what this list did to families is taken back."""

    tahap: str
    revision: int


Event: TypeAlias = (
    ListingStarted
    | ListingAdvanced
    | FamiliesWithheld
    | WithheldProposed
    | WithheldAccepted
    | ListClosed
    | ListingFrozen
    | ListingCancelled
)
