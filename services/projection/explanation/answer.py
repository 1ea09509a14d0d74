"""The form of an explanation: steps, each a sentence in two languages, its facts and clauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "OVERRIDE",
    "CANCELLED",
    "ELIGIBILITY",
    "ABSENT",
    "KNOWN",
    "COUNTED",
    "NOT_COUNTED",
    "FAMILY_PART",
    "SUM",
    "GRADUATED",
    "GRADUATION_PENDING",
    "REOPENED",
    "PAYEE",
    "CUT",
    "COMMITMENT",
    "DUTY_FAILED",
    "DUTY_UNVERIFIED",
    "DUTY_EXCUSED",
    "SANCTION",
    "INVESTIGATION",
    "APPEAL",
    "LIST",
    "DEFERRED",
    "ADMINISTRATIVE_HOLD",
    "WITHHELD",
    "ACCOUNT_CHECK",
    "ORDER",
    "TRANSFER",
    "HELD",
    "MOVED",
    "LATER",
]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in English and in Indonesian."""

    en: str
    id: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The event behind a statement: the service that said it, its position there, its type."""

    service: str
    position: int
    type: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded fact: true from `effective_on`, known from `reported_on`.

    Both are None for what came with the family's card; `member` is None for the family's own.
    """

    name: str
    value: str
    reference: Reference
    member: int | None = None
    effective_on: date | None = None
    reported_on: date | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a clause comes from; `note` says what weight the source bears."""

    title: str
    note: str = ""
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule as it was in force, and its legal sources. `id` is stable within a rule set."""

    id: str
    rule_set: str
    text: Text
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """One step of the explanation. `amount` is whole rupiah where the step speaks of money."""

    kind: Kind
    text: Text
    references: tuple[Reference, ...] = ()
    facts: tuple[Fact, ...] = ()
    clauses: tuple[Clause, ...] = ()
    member: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that could be known: reported by the closing date, stored by the registry's cut."""

    closing_date: date
    cut: int | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a family got this amount, and this disposition, in a tahap.

    `amount` is the entitlement in whole rupiah, also where it was not paid, 0 where there is
    none. The amounts of the COUNTED and FAMILY_PART steps sum to it. `cut` is what of it is not
    paid because the cycle failed.
    """

    family: str
    tahap: str
    disposition: str
    amount: int
    region: str
    known: Known
    text: Text
    steps: tuple[ExplanationStep, ...]
    cut: int = 0
