"""A bank's memory of payments: what it decided about a reference it decided for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from simulators.journal import Journal, Line
from simulators.refusals import Code, Refusal

Outcome: TypeAlias = tuple[int, str]  # amount in rupiah, status


class Decided:
    """Every reference that a bank took, with its amount and status, as its journal tells.

    With `accept_duplicates` a bank forgets on purpose: it decides again, and may credit twice.
    """

    def __init__(self, journal: Journal, *, accept_duplicates: bool = False) -> None:
        self._accept_duplicates = accept_duplicates
        self._outcomes: dict[str, Outcome] = {}
        for block in journal.blocks:
            for line in journal.lines(block):
                self._outcomes[line.reference] = (line.amount, line.status)

    def of(self, reference: str) -> Outcome | None:
        """Amount and status of a reference; None when it was never taken."""
        return self._outcomes.get(reference)

    def refuse_contradictions(self, outcomes: Mapping[str, Outcome]) -> None:
        """Raise `Refusal` when a reference was taken before with another amount."""
        if self._accept_duplicates:
            return
        for reference, (amount, _) in outcomes.items():
            before = self._outcomes.get(reference)
            if before is not None and before[0] != amount:
                raise Refusal(Code.PAYMENT_CONTRADICTS)

    def lines(self, outcomes: Mapping[str, Outcome]) -> Iterator[Line]:
        """The answer to give: the first decision, whatever the check says today."""
        decided = {} if self._accept_duplicates else self._outcomes
        for reference, outcome in outcomes.items():
            amount, status = decided.get(reference, outcome)
            yield Line(reference, amount, status, repeated=reference in decided)

    def remember(self, outcomes: Mapping[str, Outcome]) -> None:
        """Keep what is new; to be called once it is in the journal."""
        for reference, outcome in outcomes.items():
            if self._accept_duplicates or reference not in self._outcomes:
                self._outcomes[reference] = outcome
