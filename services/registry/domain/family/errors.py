"""Refusals of a family, each as a sentence.

DomainError
├── NotFound
│   ├── FamilyNotRegistered
│   ├── PersonUnknown
│   ├── NoSuchReopening
│   └── NoSuchChange
├── CardRegisteredDifferently
├── MemberRegisteredDifferently
├── PersonAlreadyMember
├── NothingToAdjudicate
├── FamilyElsewhere
├── BirthNotRecent
├── EvidenceMissing
├── FamilyFull
├── NotTheMaker
├── DateImplausible
├── NikOrderMissing
├── DaysLost
├── ListedLater
├── NotParticipating
├── SamePerson
├── ReopeningDecided
├── ListNotFrozen
├── PayeeShared
└── NotInProgramme
"""

from __future__ import annotations

from libs.events.domain.errors import DomainError, NotFound


class FamilyNotRegistered(NotFound):
    """There is no such family."""


class PersonUnknown(NotFound):
    """The person is no member of this family."""


class CardRegisteredDifferently(DomainError):
    """The family card is registered already, with other data."""


class MemberRegisteredDifferently(DomainError):
    """The person is on this family's card already, with other data."""


class FamilyFull(DomainError):
    """The family has as many members and reports as any may have."""


class PersonAlreadyMember(DomainError):
    """Who is born into the family has a number that a member already has."""


class NothingToAdjudicate(DomainError):
    """The member counts here already, or has no valid number by which another family has them."""


class FamilyElsewhere(DomainError):
    """The family that has the person lives elsewhere; who answers for both regions decides."""


class BirthNotRecent(DomainError):
    """Who was born so long before is no newborn but a member to be admitted, with evidence."""


class EvidenceMissing(DomainError):
    """A family that was judged admits another member by a document's number alone."""


class NoSuchChange(NotFound):
    """No such change of the family waits for a person."""


class NotTheMaker(DomainError):
    """A change is taken back by the person who proposed it."""


class DateImplausible(DomainError):
    """The date contradicts other dates of the family."""


class NikOrderMissing(DomainError):
    """Members who share a birth date can only be put in order by their NIK."""


class ListedLater(DomainError):
    """A list that came later already holds the family."""


class NotParticipating(DomainError):
    """Only a family that was found eligible can be terminated."""


class NoSuchReopening(NotFound):
    """Nothing proposes to re-open this tahap for the family."""


class SamePerson(DomainError):
    """A second person must decide, not one who recorded or proposed its facts."""


class ReopeningDecided(DomainError):
    """The re-opening was decided otherwise, and a decision is not reversed."""


class ListNotFrozen(DomainError):
    """The tahap's list is not frozen yet; a re-opened family is paid beside a frozen one."""


class PayeeShared(DomainError):
    """The tahap pays another family on this account, or this person for another family."""


class NoSuchTakeBack(NotFound):
    """Nobody asks for the family's termination to be taken back."""


class TakeBackDecided(DomainError):
    """The termination was decided on otherwise, and a decision is not reversed."""


class NotInProgramme(DomainError):
    """The family was terminated since, and a terminated family is not re-opened."""


class DaysLost(DomainError):
    """The key is destroyed that opened when the family's members were born: it is not judged."""
