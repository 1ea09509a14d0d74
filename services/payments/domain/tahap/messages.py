"""Commands to a tahap and its events: announced, cancelled, its lists frozen, closed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeAlias

from services.payments.domain.entitlement import BenefitTable, Reference
from services.payments.domain.list_diff import ListDiff
from services.payments.domain.shared.ids import REGULAR


@dataclass(frozen=True, slots=True)
class Benefit:
    """The benefit table that a tahap is paid by, word for word, and where it comes from.

    `amounts` are whole rupiah a member, `category_max` bounds how many count for a category.
    """

    id: str
    members_max: int
    order: tuple[str, ...]
    amounts: Mapping[str, int]
    category_max: Mapping[str, int]
    references: tuple[Reference, ...]
    verified: bool = True

    @classmethod
    def of(cls, table: BenefitTable) -> Benefit:
        """The text of a table for those who explain an amount by it."""
        return cls(
            id=table.id,
            members_max=table.members_max,
            order=table.order,
            amounts=table.components,
            category_max=table.category_max,
            references=table.references,
            verified=table.verified,
        )


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision to pay by a benefit table whose legal source is not verified, and why."""

    table: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a tahap: months (YYYY-MM), dates, and the rules that it is paid by.

    `benefit` is the table that the rules name.
    """

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    account_check_date: date
    credit_date: date
    policies: Mapping[str, str]
    benefit: Benefit | None = None
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class OtherTahap:
    """Another tahap that is announced or proposed, and not cancelled.

    `waits` is true where it is announced, nothing of its list has come, and nobody proposes
    anything else of it: so it can make way for an earlier one.
    """

    tahap: str
    months: tuple[str, ...]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """A service's own word at the moment of a decision: its log's head, and what it can run.

    `rule_sets` has each set that it knows: None where it runs it, otherwise why it does not.
    """

    service: str
    head: int
    rule_sets: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Context of an announcement: the other tahaps, and every service's answer."""

    others: tuple[OtherTahap, ...] = ()
    answers: tuple[ServiceAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Deferral:
    """A family that a list is frozen without, by name, and why, as a code like UNDER_REVIEW.

    The reason is a code because it is published: free text could hold personal data.
    """

    family: str
    reason: str


# -- Commands: the announcement, by two people


@dataclass(frozen=True, slots=True)
class ProposeAnnouncement:
    """The maker's terms of a tahap; a later proposal takes the place of an earlier one."""

    terms: Terms
    after: Mapping[str, int]
    maker: str
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class ApproveAnnouncement:
    """Another person's approval of the proposal with this hash.

    `after` names the position that each service's log had reached when the approver looked.
    """

    checker: str
    hash: str
    after: Mapping[str, int]
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class WithdrawProposal:
    """Take back the announcement that waits for its approval."""

    by: str


AnnouncementCommand: TypeAlias = ProposeAnnouncement | ApproveAnnouncement | WithdrawProposal

# -- Commands: the cancellation, proposed by one person, approved by another, then carried out


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

# -- Commands: the lists, to the close


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
    diff: ListDiff | None = None


@dataclass(frozen=True, slots=True)
class ProposeFreeze:
    """The maker's proposal to freeze exactly this list, deferring exactly these families.

    `diff` is the hash of its differences from the last frozen list, which the maker has seen.
    """

    maker: str
    hash: str
    deferred: tuple[Deferral, ...] = ()
    kind: str = REGULAR
    diff: str = ""


@dataclass(frozen=True, slots=True)
class ApproveFreeze:
    """The checker's approval of the proposed hash, and of the differences `diff`, seen as well.

    `withheld` are by name, and with the registry's reason, those that the list only counts.
    """

    checker: str
    hash: str
    kind: str = REGULAR
    withheld: tuple[Deferral, ...] = ()
    diff: str = ""


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
class ProposeClose:
    """The maker's proposal to close the tahap; who is never paid is named, each with a reason."""

    maker: str
    lapsed: tuple[Deferral, ...] = ()


@dataclass(frozen=True, slots=True)
class ApproveClose:
    """Another person's approval of the proposal with this hash."""

    checker: str
    hash: str


@dataclass(frozen=True, slots=True)
class CloseTahap:
    """Close the tahap behind its last run: nobody is outstanding but whom two people excluded."""

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
    | ProposeClose
    | ApproveClose
    | CloseTahap
)

# -- Events: the announcement


@dataclass(frozen=True, slots=True)
class AnnouncementProposed:
    """Somebody proposes to announce a tahap on these terms; no other service hears of it.

    `behind` are later tahaps that wait: they make way, and are announced anew behind it.
    """

    tahap: str
    revision: int
    terms: Terms
    after: Mapping[str, int]
    maker: str
    behind: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """The hash that its approver sends: it binds everything of the proposal."""
        text = json.dumps(asdict(self), sort_keys=True, default=date.isoformat)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ProposalWithdrawn:
    """The announcement that waited for its approval is taken back."""

    tahap: str
    by: str


@dataclass(frozen=True, slots=True)
class ClosingAnnounced:
    """A tahap is opened and its final closing begins.

    `after` names the position that each service must have consumed before it starts; `revision`
    counts a tahap's announcements from 1, each but the first behind a cancellation.
    """

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    account_check_date: date
    credit_date: date
    policies: Mapping[str, str]
    after: Mapping[str, int]
    benefit: Benefit | None = None
    override: Override | None = None
    revision: int = 1
    maker: str = ""
    checker: str = ""

    @property
    def terms(self) -> Terms:
        """The terms that it was announced with."""
        return Terms(
            tahap=self.tahap,
            months=self.months,
            closing_date=self.closing_date,
            account_check_date=self.account_check_date,
            credit_date=self.credit_date,
            policies=self.policies,
            benefit=self.benefit,
            override=self.override,
        )


AnnouncementEvent: TypeAlias = AnnouncementProposed | ProposalWithdrawn | ClosingAnnounced

# -- Events: the cancellation


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

# -- Events: the lists, to the close


@dataclass(frozen=True, slots=True)
class BucketRequested:
    """These buckets of a topic differ from what was counted and are asked for again."""

    tahap: str
    topic: str
    buckets: tuple[str, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class ListReady:
    """The list of a run can be frozen as it stands; replaces what was ready before.

    `diff` says how it differs from the last frozen list; None where none was frozen before.
    """

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    missing: tuple[str, ...]
    cut: int = 0
    withheld: int = 0
    diff: ListDiff | None = None


@dataclass(frozen=True, slots=True)
class FreezeProposed:
    """A maker proposes to freeze; replaces an earlier proposal."""

    tahap: str
    kind: str
    hash: str
    maker: str
    deferred: tuple[Deferral, ...]
    diff: str = ""


@dataclass(frozen=True, slots=True)
class ListFrozen:
    """The regular list of the tahap is frozen; later facts change it no more.

    `rupiah` is what its families are entitled to, `cut` what of it is not paid. Beyond those that
    it names, `withheld` families are deferred whom the registry could not list. `diff` is the hash
    of the differences that both people have seen, empty where there were none.
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
    diff: str = ""


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
    diff: str = ""


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
class CloseProposed:
    """Somebody proposes to close the tahap, and whom nobody will pay any more."""

    tahap: str
    lapsed: tuple[Deferral, ...]
    maker: str

    @property
    def hash(self) -> str:
        """The hash that its approver sends: it binds everything of the proposal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TahapClosed:
    """Every run is reconciled and every deferred family paid or named as lapsed.

    `maker` and `checker` are empty where nobody was left to decide on.
    """

    tahap: str
    lapsed: tuple[Deferral, ...]
    maker: str = ""
    checker: str = ""


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
    | CloseProposed
    | TahapClosed
)
