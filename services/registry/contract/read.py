"""Messages that the registry reads from others, with the fields that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ClosingAnnounced:
    """A tahap's final closing begins; `after` is where each log stands at least."""

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    policies: Mapping[str, str]
    after: Mapping[str, int]
    revision: int = 1


@dataclass(frozen=True, slots=True)
class TahapCancelled:
    """A tahap is cancelled: the list of this announcement of it is taken back."""

    tahap: str
    revision: int


@dataclass(frozen=True, slots=True)
class ListFrozen:
    """The list of a tahap that people approved; families beside it need a run of their own."""

    tahap: str


@dataclass(frozen=True, slots=True)
class BucketRequested:
    """Lines of these buckets of a topic do not agree with their proof and are wanted again."""

    tahap: str
    topic: str
    buckets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terminated:
    """Conditionality has ended a family's participation after a cycle, a tahap's id."""

    family: str
    cycle: str
    effect: str


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """A case asks a service for something; none of `asked_by` decides on what follows. `regions`
    are those of the last of them; a message without them allows nothing."""

    order: str
    case: str
    ordered: str
    family: str
    asked_by: tuple[str, ...]
    regions: tuple[str, ...] = ()
