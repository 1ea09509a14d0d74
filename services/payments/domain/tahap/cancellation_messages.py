"""The cancellation of a tahap: proposed by one person, approved by another, then carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeAlias

from services.payments.domain.tahap.announcement_messages import (
    Circumstances,
    ClosingAnnounced,
    Terms,
)

# -- Commands


@dataclass(frozen=True, slots=True)
class ProposeCancellation:
    """The maker's wish to cancel a tahap; with `terms` to correct it, which announces it anew.

    `reason` is a code, because it is published.
    """

    reason: str
    maker: str
    circumstances: Circumstances
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class ApproveCancellation:
    """Another person's approval of the proposal with this hash.

    `after` is given by who approves a correction, which is announced then.
    """

    checker: str
    hash: str
    circumstances: Circumstances
    after: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class CompleteCancellation:
    """Say that payments has taken back what a cancelled revision of the tahap did."""

    revision: int


@dataclass(frozen=True, slots=True)
class MakeWay:
    """Have the tahap make way for an earlier one on which two people decide: it is announced anew.

    Its terms stay, and with them what its own two people agreed on.
    """

    maker: str
    checker: str


CancellationCommand: TypeAlias = (
    ProposeCancellation | ApproveCancellation | CompleteCancellation | MakeWay
)


# -- Events


@dataclass(frozen=True, slots=True)
class CancellationProposed:
    """Somebody proposes to cancel a tahap, with `terms` to announce it anew on these.

    `behind` are the later tahaps that wait for its list: they make way, and are announced anew.
    """

    tahap: str
    revision: int
    reason: str
    maker: str
    terms: Terms | None = None
    behind: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """The hash that its approver sends: it binds everything of the proposal."""
        text = json.dumps(asdict(self), sort_keys=True, default=date.isoformat)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TahapCancelled:
    """The announcement of this revision is cancelled: every service takes back what it did."""

    tahap: str
    revision: int
    reason: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class ReannouncementApproved:
    """A cancelled tahap is announced anew so, as soon as its cancellation is carried out here."""

    tahap: str
    announcement: ClosingAnnounced


@dataclass(frozen=True, slots=True)
class CancellationCompleted:
    """Payments has taken back everything that the cancelled revision did."""

    tahap: str
    revision: int


CancellationEvent: TypeAlias = (
    CancellationProposed | TahapCancelled | ReannouncementApproved | CancellationCompleted
)
