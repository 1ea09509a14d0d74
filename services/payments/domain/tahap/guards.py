"""Guards that the rules of a tahap have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from libs.events.domain.errors import DomainError
from services.payments.domain.shared.errors import (
    Contradiction,
    Malformed,
    NotMissing,
)
from services.payments.domain.tahap.messages import Deferral, Event

NAMED_IN_ERROR_MAX: Final = 10
REASON: Final = re.compile(r"[A-Z][A-Z_]{1,39}")


def exactly(
    named: Sequence[Deferral], missing: Sequence[str], forgotten: type[DomainError]
) -> tuple[Deferral, ...]:
    """The named families in order; refuse unless they are exactly the missing ones."""
    deferred = checked_deferrals(named)
    families = {deferral.family for deferral in deferred}
    left = set(missing) - families
    if left:
        raise forgotten(families=sorted(left)[:NAMED_IN_ERROR_MAX], count=len(left))
    extra = families - set(missing)
    if extra:
        raise NotMissing(families=sorted(extra)[:NAMED_IN_ERROR_MAX], count=len(extra))
    return deferred


def checked_deferrals(named: Sequence[Deferral]) -> tuple[Deferral, ...]:
    """Deferrals in order of family; Malformed where one is named twice or gives no code."""
    families = {deferral.family for deferral in named}
    if len(families) != len(named) or not all(
        REASON.fullmatch(deferral.reason) for deferral in named
    ):
        raise Malformed(named=len(named))
    return tuple(sorted(named, key=lambda deferral: deferral.family))


def quiet_if(same: bool, document: str) -> Sequence[Event]:
    """Nothing where a document says what is on record, else a refusal."""
    if not same:
        raise Contradiction(document=document)
    return []
