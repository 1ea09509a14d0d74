"""Refusals of payments, each as a sentence.

DomainError
├── Malformed              a value that no document of the programme can carry
├── Contradiction          what is said now is not what is on record
├── StepNotReached         an earlier step of the tahap or the run is still open
├── maker and checker      SamePerson, StaleHash, NothingProposed
├── the list               NotMissing, MissingNotDeferred, TooManyDeferred, NotDeferred,
│                          AlreadyListed, OutOfOrder, DiffNotAcknowledged
├── the announcement       AnnouncementRefused, AnnouncedAlready, NotAfterOtherTahap,
│                          RuleSetNotRun, PositionAheadOfLog
├── the hold               NotHeld
├── the cancellation       TooLateToCancel, LaterTahapStands
├── the tahap              RunsOpen, FamiliesOutstanding, TahapIsClosed
├── the run                AlreadyDispatched, TooManyUnanswered, TotalsDiffer, FileOverlaps,
│                          FileUnknown, NothingToPay, NotConserved, TransfersUnknown,
│                          NoIncident
├── the payment            NotEntitled, NotPayable, AccountNotChecked, NotInstructed,
│                          AmountDiffers
└── the benefit            UnverifiedBenefit, CategoryUnknown
"""

from __future__ import annotations

from libs.events.domain.errors import DomainError


class Malformed(DomainError):
    """This value cannot stand in a document of the programme."""


class Contradiction(DomainError):
    """This contradicts what is on record."""


class StepNotReached(DomainError):
    """An earlier step is still open."""


# -- Maker and checker


class SamePerson(DomainError):
    """Maker and checker must be two people."""


class StaleHash(DomainError):
    """The thing to approve has changed since you looked: its hash is now different."""


class NothingProposed(DomainError):
    """There is no proposal to approve."""


# -- The administrative hold of a family


class NotHeld(DomainError):
    """This family is not held."""


# -- The list of a tahap


class NotMissing(DomainError):
    """A family is deferred although its line is complete."""


class MissingNotDeferred(DomainError):
    """A family is missing and not deferred by name."""


class DiffNotAcknowledged(DomainError):
    """The list differs from the last frozen one, otherwise than you say that you have seen."""


class TooManyDeferred(DomainError):
    """More families are missing than may be deferred; replay what is parked first."""


class NotDeferred(DomainError):
    """A supplementary run pays only families that were deferred and are not paid yet."""


class AlreadyListed(DomainError):
    """The family is on a list of this tahap already, and another run would pay it twice."""


class OutOfOrder(DomainError):
    """Lines must come in ascending order of their key, each key once."""


# -- The announcement of a tahap


class AnnouncementRefused(DomainError):
    """A tahap cannot be announced on these terms."""


class AnnouncedAlready(DomainError):
    """The tahap is announced on other terms; they are corrected, not announced again."""


class NotAfterOtherTahap(DomainError):
    """The tahap must come after every other one that stands, by its name and by its months."""


class RuleSetNotRun(DomainError):
    """A service does not run the rule set of this tahap."""


class PositionAheadOfLog(DomainError):
    """A service's log has not reached the position that it is to start after."""


# -- The cancellation of a tahap


class TooLateToCancel(DomainError):
    """The tahap has come too far to be cancelled."""


class LaterTahapStands(DomainError):
    """A later tahap rests on this one, and must be cancelled or withdrawn first."""


# -- The tahap


class RunsOpen(DomainError):
    """A payment run of this tahap is not reconciled yet."""


class FamiliesOutstanding(DomainError):
    """Deferred families are neither paid nor named as lapsed."""


class TahapIsClosed(DomainError):
    """This tahap is closed."""


# -- The run


class AlreadyDispatched(DomainError):
    """The bank's file with this family's payment is committed; the payment can only be answered."""


class TooManyUnanswered(DomainError):
    """So many lines of an account check have no answer that the treasury must be asked why."""


class TotalsDiffer(DomainError):
    """Count or rupiah differ from what they must be equal to."""


class FileOverlaps(DomainError):
    """Two bank files would hold the same payments."""


class FileUnknown(DomainError):
    """There is an answer to a file that was never sent."""


class NothingToPay(DomainError):
    """There is nothing to pay."""


class NotConserved(DomainError):
    """Credited, failed and unknown do not add up to what was instructed."""


class TransfersUnknown(DomainError):
    """The outcome of some transfers is not known yet; ask the bank with the same id."""


class NoIncident(DomainError):
    """No incident of this partner waits for a judgement."""


# -- The payment


class NotEntitled(DomainError):
    """There is no entitlement for this payment."""


class NotPayable(DomainError):
    """This entitlement is not to be paid."""


class AccountNotChecked(DomainError):
    """No money is sent to an account that did not pass the account check."""


class NotInstructed(DomainError):
    """The bank answered for a payment that it was never instructed to make."""


class AmountDiffers(DomainError):
    """The bank reports another amount than it was instructed to pay."""


# -- The benefit


class UnverifiedBenefit(DomainError):
    """This benefit table has no verified source, so no money is paid by it."""


class CategoryUnknown(DomainError):
    """The benefit table does not know this category."""
