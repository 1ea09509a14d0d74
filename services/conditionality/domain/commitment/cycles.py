"""A family's cycles in order of tahap, and what a fold over them says: counter, holds, grounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeAlias

from services.conditionality.domain.duties import Duty, Excused, Result

WITHDRAWN: Final = "WITHDRAWN"
Hold: TypeAlias = Literal["NONE", "HELD", "RELEASED", "FORFEITED"]


class Cycle(NamedTuple):
    """The latest revision of one cycle and what became of its money's hold.

    `digest` stands for the duties, which the event keeps. After a `cleared` cycle the counter
    starts anew, because an investigation ended there without confirming. `cut_percent` is what its
    failure cuts; such a failure holds nothing. A WITHDRAWN cycle is kept for its revision alone.
    """

    tahap: str
    revision: int
    roster_revision: int
    result: Result | Literal["WITHDRAWN"]
    digest: str
    hold: Hold = "NONE"
    cleared: bool = False
    cut_percent: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The sum of the cycles, taken in order.

    `counters` gives the failures in a row at each tahap, `held` the tahaps whose money the rules
    hold now, `grounds` the tahaps at which the counter became the number that opens an
    investigation, since the last one that ended.
    """

    counters: dict[str, int]
    held: tuple[str, ...]
    grounds: tuple[str, ...]


def standing(
    cycles: Iterable[Cycle],
    failures_to_investigation: int,
    paused: Collection[str] = frozenset(),
) -> Standing:
    """Fold the latest revisions: FAILED adds one, COMPLIANT clears, others change nothing.

    The counter goes on from a rule set that holds money to one that cuts it, and a compliant cycle
    of the later one releases what the earlier one held. A failure of a `paused` tahap holds its
    money and adds nothing.
    """
    counter = 0
    counters: dict[str, int] = {}
    held: list[str] = []
    grounds: list[str] = []
    for cycle in cycles:
        if cycle.result == "FAILED":
            if not cycle.cut_percent:
                held.append(cycle.tahap)
            if cycle.tahap not in paused:
                counter += 1
                if counter == failures_to_investigation:
                    grounds.append(cycle.tahap)
        elif cycle.result == "COMPLIANT":
            counter = 0
            held.clear()
        counters[cycle.tahap] = counter
        if cycle.cleared:
            counter = 0
            held.clear()
            grounds.clear()
    return Standing(counters, tuple(held), tuple(grounds))


def digest_of(duties: Iterable[Duty], excused: Iterable[Excused] = ()) -> str:
    """A short stand-in for the duties of a cycle: equal when every outcome and reason is equal."""
    counted = (f"{d.member}|{d.duty}|{d.month}|{d.outcome}|{d.reason}" for d in duties)
    others = (f"{d.member}|{d.duty}|{d.month}|EXCUSED|{d.exception}|{d.reason}" for d in excused)
    text = "\n".join([*counted, *others])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def with_revision(cycles: Sequence[Cycle], revised: Cycle) -> tuple[Cycle, ...]:
    """The cycles with this revision of one of them; what became of its hold stays as it was."""
    earlier = next((cycle for cycle in cycles if cycle.tahap == revised.tahap), None)
    if earlier is None:
        return tuple(sorted([*cycles, revised], key=_order))
    with_hold = revised._replace(hold=earlier.hold, cleared=earlier.cleared)
    return tuple(with_hold if cycle is earlier else cycle for cycle in cycles)


def _order(cycle: Cycle) -> tuple[int, int]:
    year, _, number = cycle.tahap.partition("-")
    return int(year), int(number)
