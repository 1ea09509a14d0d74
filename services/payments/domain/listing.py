"""The hash that people approve: lines in order of their key, each as one line of text, SHA-256.

    # list-2|2025-1|REGULAR|2025-2026
    3f0c1c52-...|LISTED|61.03.01.2026|EARLY_CHILD:1;ELDERLY:1|1350000|135000|1|Y|8c1f0e2d3b4a5968

Header and lines end in LF; fields stand between `|` and never hold one; `sha256sum` of that text
is the hash. A format on disk: it was approved by people and is never changed, only replaced by
one with another first word: `list` had no cut. A cycle's result decides whether money is held, not
how much it is, and is not in it; the rupiah that it cuts are, with the revision of the evaluation
that they rest on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.payments.domain.entitlement import NO_CUT, Component, Cut
from services.payments.domain.shared.errors import Malformed, OutOfOrder
from services.payments.domain.shared.totals import Totals

LISTED = "LISTED"
GRADUATED_NATURAL = "GRADUATED_NATURAL"


class Line(Protocol):
    """One line of what is hashed: its key, its fields and the money that it counts for."""

    def key(self) -> str:
        """The key that lines are sorted by; stands once."""

    def fields(self) -> Sequence[str]:
        """The line's fields in their order, the key first."""

    def totals(self) -> Totals:
        """The share of the line in the control totals."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """A family on the list of a tahap; a graduated family stands in it and counts for nothing.

    `source` is the hash of the roster line (16 hex digits): so the approval also pins account,
    payee and members, without showing them.
    """

    family: str
    outcome: str
    region: str
    components: tuple[Component, ...]
    amount: int
    payee_valid: bool
    source: str
    cut: Cut = NO_CUT

    def key(self) -> str:
        """The family."""
        return self.family

    def fields(self) -> Sequence[str]:
        """Family, outcome, region, components, rupiah, cut, its evaluation, payee, roster hash."""
        return (
            self.family,
            self.outcome,
            self.region,
            components_text(self.components),
            str(self.amount),
            str(self.cut.rupiah),
            str(self.cut.evaluation),
            "Y" if self.payee_valid else "N",
            self.source,
        )

    def totals(self) -> Totals:
        """One entitlement, or nothing where the family graduated."""
        return Totals(1, self.amount) if self.outcome == LISTED else Totals()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A payment in a payment order: who is paid through which bank."""

    payment: str
    bank: str
    amount: int

    def key(self) -> str:
        """The payment."""
        return self.payment

    def fields(self) -> Sequence[str]:
        """Payment, bank, rupiah."""
        return (self.payment, self.bank, str(self.amount))

    def totals(self) -> Totals:
        """One payment."""
        return Totals(1, self.amount)


class Digest:
    """A hash and control totals that grow line by line, in constant memory."""

    def __init__(self, *header: str) -> None:
        self._sha256 = hashlib.sha256(_text(("# " + header[0], *header[1:])))
        self._last = ""
        self.totals = Totals()

    def add(self, line: Line) -> None:
        """Take in the next line; OutOfOrder unless its key is greater than the last one's."""
        key = line.key()
        if key <= self._last:
            # A list read in another order, or a family read twice, would hash to something
            # that nobody can compute again.
            raise OutOfOrder(key=key, after=self._last)
        self._last = key
        self._sha256.update(_text(line.fields()))
        self.totals = self.totals + line.totals()

    def hash(self) -> str:
        """SHA-256 over header and lines so far, 64 hex digits."""
        return self._sha256.hexdigest()


def list_digest(tahap: str, kind: str, benefit_policy: str) -> Digest:
    """An empty digest of the list of a run."""
    return Digest("list-2", tahap, kind, benefit_policy)


def order_digest(tahap: str, kind: str) -> Digest:
    """An empty digest of the payment order of a run."""
    return Digest("order", tahap, kind)


def unanswered_digest(tahap: str, kind: str) -> Digest:
    """An empty digest of the lines that a run's account check leaves without an answer."""
    return Digest("unanswered", tahap, kind)


def components_text(components: Sequence[Component]) -> str:
    """Components as text: EARLY_CHILD:1;SD:2."""
    return ";".join(f"{part.category}:{part.members}" for part in components)


def _text(fields: Sequence[str]) -> bytes:
    text = "|".join(fields)
    if text.count("|") != len(fields) - 1 or "\n" in text or "\r" in text:
        raise Malformed(fields=len(fields))
    return (text + "\n").encode()
