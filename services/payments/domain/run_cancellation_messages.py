"""A payment run that ends because its tahap is cancelled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End the run, whose tahap two people cancel."""


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run is over and paid nobody; a later revision of its tahap starts it anew."""

    tahap: str
    kind: str
