"""Messages of conditionality as payments reads them: evaluations, and effects on held money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from services.payments.domain.payment import messages as payments


@dataclass(frozen=True, slots=True)
class CycleEvaluated:
    """A listed family's cycle was evaluated against this revision of its roster line.

    `cut_percent` is what the tahap's benefit is lowered by; 0 for nothing. `case` is the complaint
    by which it was decided again, if it was.
    """

    tahap: str
    family: str
    revision: int
    roster_revision: int
    result: Literal["COMPLIANT", "FAILED", "UNVERIFIED"]
    cut_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    case: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationClosed:
    """Every listed family is evaluated, or parked and named."""

    tahap: str
    revision: int
    evaluated: int
    parked: tuple[str, ...]
    buckets: Mapping[str, tuple[int, str]]
    roster_revision: int = 1


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    """The tahap was cancelled: nothing that was decided of its money counts."""

    family: str
    tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class Suspended:
    """Hold the money of `tahap`."""

    family: str
    tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class Released:
    """Release the money of `tahaps`, because of what `cycle` came to."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    effect: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """An investigation did not confirm: release the money of `tahaps`."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    effect: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """An investigation confirmed: give the held money of `tahaps` back."""

    family: str
    tahaps: tuple[str, ...]
    cycle: str
    effect: str


@dataclass(frozen=True, slots=True)
class AppealPaused:
    """A case of the family appeals: its held money goes back for no reason until the end."""

    family: str
    case: str


@dataclass(frozen=True, slots=True)
class AppealEnded:
    """Nothing waits for a case's appeal any more; what it let go on came before this message."""

    family: str
    case: str


def asked_of_payments(
    message: CycleWithdrawn | Suspended | Released | Cleared | Terminated,
) -> Sequence[tuple[str, payments.Command]]:
    """The commands of a message to the family's payments: (tahap whose money it is, command)."""
    match message:
        case CycleWithdrawn():
            return [(message.tahap, payments.ClearHold(message.effect))]
        case Suspended():
            return [(message.tahap, payments.Hold(message.effect))]
        case Released() | Cleared():
            cleared = isinstance(message, Cleared)
            lift = payments.Release(message.effect, message.cycle, cleared)
            return [(tahap, lift) for tahap in message.tahaps]
        case Terminated():
            back = payments.Return(message.cycle, payments.ReturnReason.TERMINATED)
            return [(tahap, back) for tahap in message.tahaps]
