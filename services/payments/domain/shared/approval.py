"""Maker and checker: one person proposes a hash, another person approves the same hash."""

from __future__ import annotations

from libs.events.domain.persons import same_person
from services.payments.domain.shared.errors import SamePerson, StaleHash


def require_approval(maker: str, proposed: str, checker: str, approved: str) -> None:
    """Refuse unless another person approves exactly the hash that was proposed.

    The hash binds every line, so a change after the proposal cannot be approved by somebody
    who never saw it.
    """
    if same_person(maker, checker):
        raise SamePerson(person=checker)
    if approved != proposed:
        raise StaleHash(approved=approved, proposed=proposed)
