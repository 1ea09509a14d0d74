"""The types of messages that projection keeps as they came."""

from __future__ import annotations

OF_TAHAP = (
    "ClosingAnnounced",
    "TahapCancelled",
    "ListFrozen",
    "AccountCheckSent",
    "AccountCheckReceived",
    "PaymentRequested",
    "PaymentOrdered",
    "FundsReleased",
    "BankFileSent",
    "BankResultReceived",
    "LinesDeferred",
    "UnansweredDeferred",
    "TahapReconciled",
    "TahapClosed",
    "BucketRequested",
    "FamilyAwaited",
    "SupplementaryOpened",
    "SupplementaryFrozen",
)

FACTS = (
    "FamilyRegistered",
    "MembersRegistered",
    "MemberBorn",
    "MemberDied",
    "SchoolChanged",
    "PregnancyReported",
    "FamilyMoved",
    "PayeeChanged",
)
"""Dated facts of a family: kept as they came, folded when somebody asks why."""
