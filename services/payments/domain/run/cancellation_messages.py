"""A payment run that ends because its tahap is cancelled, and its order that is taken back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End the run, whose tahap two people cancel."""


@dataclass(frozen=True, slots=True)
class RecordOrderCancelled:
    """Record that the treasury has cancelled the order of a run that is over.

    `receipt` is its number for that; `number` the one of the release (SP2D) whose `count` and
    `rupiah` it has back, empty and zeros where it had released nothing. `unvoided` are those of
    them that stand with payments which could not be voided yet.
    """

    order: str
    receipt: str
    number: str
    count: int
    rupiah: int
    unvoided: int = 0


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run is over and paid nobody; a later revision of its tahap starts it anew."""

    tahap: str
    kind: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """The treasury never releases this order any more, and has back what it had released.

    `count` and `rupiah` are what was released under `number`; zeros and empty where nothing was.
    `unrecorded`: the release is known by this answer alone, so no `FundsReleased` says it.
    `unvoided` are the rupiah of them that are booked with the payments that they stand with, each
    when it can be voided.
    """

    tahap: str
    kind: str
    order: str
    receipt: str
    number: str
    count: int
    rupiah: int
    unrecorded: bool = False
    unvoided: int = 0
