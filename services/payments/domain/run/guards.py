"""Guards that the rules of a payment run have in common."""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.run.messages import Event
from services.payments.domain.shared.errors import Contradiction, TotalsDiffer
from services.payments.domain.shared.totals import Totals


def once(on_record: Event | None, document: Event) -> Sequence[Event]:
    """The document where there is none yet, nothing where it is the same, else a refusal."""
    if on_record is None:
        return [document]
    if on_record != document:
        raise Contradiction(document=type(document).__name__)
    return []


def require_equal(expected: Totals, given: Totals, of: str) -> None:
    """Refuse figures that are not exactly what they must be."""
    if expected != given:
        raise TotalsDiffer(of=of, expected=expected, given=given)
