"""Messages about a whole tahap, as far as an explanation needs them: its own copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

# -- Terms ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BenefitSource:
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Benefit:
    id: str
    members_max: int
    amounts: Mapping[str, int]
    references: tuple[BenefitSource, ...]


@dataclass(frozen=True, slots=True)
class Override:
    table: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ClosingAnnounced:
    tahap: str
    months: tuple[str, ...]
    closing_date: date
    account_check_date: date
    credit_date: date
    policies: Mapping[str, str]
    benefit: Benefit | None = None
    override: Override | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class RuleSource:
    title: str
    covers: tuple[str, ...]
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    id: str
    excluded_occupations: tuple[str, ...]
    pregnancy_days_before: int
    pregnancy_days_after: int
    pregnancy_order_max: int | None
    early_child_below_years: int
    school_from_years: int
    school_to_years: int
    elderly_from_years: int
    payee_from_years: int
    references: tuple[RuleSource, ...]
    natural_graduation_term_days: int = 0


@dataclass(frozen=True, slots=True)
class ListingStarted:
    tahap: str
    revision: int
    closing_date: date
    cut: int
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class TermsSource:
    of: str
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    attendance_percent_min: int
    services: Mapping[str, str]
    failures_to_investigation: int | None
    sources: tuple[TermsSource, ...]
    cut_percent: int | None = None


@dataclass(frozen=True, slots=True)
class EvaluationAnnounced:
    tahap: str
    rule_set: str
    terms: Terms | None = None


# -- Documents ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListFrozen:
    tahap: str
    hash: str
    count: int
    rupiah: int
    maker: str
    checker: str
    cut: int = 0


@dataclass(frozen=True, slots=True)
class SupplementaryFrozen:
    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    maker: str
    checker: str
    cut: int = 0


@dataclass(frozen=True, slots=True)
class AccountCheckSent:
    tahap: str
    kind: str
    file: str
    first: str
    last: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    tahap: str
    kind: str
    request: str
    hash: str
    maker: str


@dataclass(frozen=True, slots=True)
class PaymentOrdered:
    tahap: str
    kind: str
    order: str
    hash: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class FundsReleased:
    tahap: str
    kind: str
    order: str
    number: str


@dataclass(frozen=True, slots=True)
class BankFileSent:
    tahap: str
    kind: str
    bank: str
    file: str
    first: str
    last: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BankResultReceived:
    tahap: str
    kind: str
    bank: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class UnansweredDeferred:
    tahap: str
    kind: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class TahapCancelled:
    tahap: str
    revision: int
    reason: str
    maker: str
    checker: str


OF_TAHAP: Final = (
    *(ClosingAnnounced, TahapCancelled),
    *(ListingStarted, EvaluationAnnounced),
    *(ListFrozen, SupplementaryFrozen, AccountCheckSent, PaymentRequested, PaymentOrdered),
    *(UnansweredDeferred, FundsReleased, BankFileSent, BankResultReceived),
)
"""The messages of a tahap that an explanation reads; others are passed over."""
