"""A tahap's announcement: the terms that one person proposes and another approves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeAlias

from services.payments.domain.entitlement import BenefitTable, Reference


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


# -- Commands


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


# -- Events


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
