"""Writers registered to report by topic: for which schools and facilities, areas and months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Withheld(Enum):
    """Why a message from outside is not taken in. Nothing of it is then recorded."""

    UNREADABLE = "Its content is not of the form that the contract describes."
    NOT_REGISTERED = "Its writer is registered for no such month."
    REPORTER_NOT_YOURS = "Its writer may not speak for this school or facility."
    NOT_ITS_KEY = "Its key is another school or facility than it names."
    NO_NUMBER = "It names nobody: neither number is in it."
    NOT_A_JWE = "A number in it is not closed as the contract describes."
    KEY_UNKNOWN = "A number in it is closed for a key that is none of ours, or out of use."
    NUMBER_BROKEN = "A number in it was closed for another key, or changed since."
    NUMBER_WITHOUT_FORM = "A number in it has not the digits that it should have."
    IMPOSSIBLE = "What it reports cannot be true as it stands."
    REGION_NOT_YOURS = "The person's family lives outside the areas of its writer."
    ID_USED_AGAIN = "Its id is that of a message which reported something else."


@dataclass(frozen=True, slots=True)
class WriterTerm:
    """A writer's right to speak about months from `first` to `last` (YYYY-MM; "" has no end).

    `reporters` are beginnings of a school's NPSN or of a facility's code, a whole one among them;
    `areas` are the regions in which the families live of whose persons it may speak.
    """

    first: str
    last: str
    areas: tuple[str, ...]
    reporters: tuple[str, ...]

    def covers(self, month: str) -> bool:
        """True where the term is of a month."""
        return self.first <= month and (not self.last or month <= self.last)


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who is registered to write on one topic, by the name that `ce_source` ends with."""

    name: str
    topic: str
    terms: tuple[WriterTerm, ...]


def areas_for(
    writer: Writer | None, topic: str, reporter: str, months: Sequence[str]
) -> tuple[str, ...] | Withheld:
    """The areas in which a writer may speak for a school or facility, about all of these months.

    The months that are spoken of decide, not the day on which it is read: the same message is
    judged alike whenever it is read again.
    """
    if writer is None or writer.topic != topic:
        return Withheld.NOT_REGISTERED
    areas: tuple[str, ...] | None = None
    for month in months:
        terms = [term for term in writer.terms if term.covers(month)]
        if not terms:
            return Withheld.NOT_REGISTERED
        for_it = [term for term in terms if reporter.startswith(term.reporters)]
        if not for_it:
            return Withheld.REPORTER_NOT_YOURS
        of_month = tuple(dict.fromkeys(area for term in for_it for area in term.areas))
        # A message is taken whole or not at all, so areas must hold for each of its months.
        areas = of_month if areas is None else tuple(a for a in areas if a in of_month)
    return areas or Withheld.NOT_REGISTERED
