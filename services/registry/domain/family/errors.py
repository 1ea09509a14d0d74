"""What a family refuses, each as a sentence.

DomainError
├── NotFound
│   ├── FamilyNotRegistered
│   └── PersonUnknown
├── CardRegisteredDifferently
├── MemberRegisteredDifferently
├── PersonAlreadyMember
├── DateImplausible
├── NikOrderMissing
├── ListedLater
└── NotParticipating
"""

from __future__ import annotations

from libs.events.errors import DomainError, NotFound


class FamilyNotRegistered(NotFound):
    """There is no such family."""


class PersonUnknown(NotFound):
    """The person is no member of this family."""


class CardRegisteredDifferently(DomainError):
    """The family card stands in the register with other data."""


class MemberRegisteredDifferently(DomainError):
    """The person stands on this family's card with other data."""


class PersonAlreadyMember(DomainError):
    """Who is born into the family has a number that a member already has."""


class DateImplausible(DomainError):
    """A date cannot be true as the others stand."""


class NikOrderMissing(DomainError):
    """Members who share a birth date can only be put in order by their NIK."""


class ListedLater(DomainError):
    """A list that came later already holds the family."""


class NotParticipating(DomainError):
    """Only a family that was found eligible can be terminated."""
