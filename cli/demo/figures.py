"""The figures of a run's report: sums only, added up row by row; no row is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.demo.outputs import CUT, Row, read_csv
from cli.demo.words import (
    ACCOUNT,
    JUDGED,
    RESULT,
    THIRD,
    THIRD_FAILURE,
    UNPAID,
    Word,
    unmet,
    word,
)

REGIONS: Final = "regions.csv"
OUTCOMES: Final = (
    "paid", "blocked", "account_failed", "transfer_failed", "no_valid_payee", "graduated",
)  # fmt: skip
"""The outcome of a family in a tahap, by the names of summary.json."""


@dataclass(frozen=True, slots=True)
class UnmetDuty:
    """In how many families a duty was not passed for a reason."""

    duty: str
    outcome: str
    reason: str
    families: int


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is counted, and how often in each tahap."""

    name: Word
    code: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Over all tahaps."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Group:
    """Something that is counted, and of what it consists; `figure` is its name in summary.json."""

    name: Word
    figure: str
    counts: tuple[int, ...]
    lines: Sequence[Line] = ()

    @property
    def total(self) -> int:
        """Over all tahaps."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Area:
    """A regency: families and entitled rupiah in each tahap."""

    code: str
    name: str
    families: tuple[int, ...]
    entitled: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """The counts of entitlements.csv that summary.json does not have, by tahap and code."""

    rupiah: Counter[tuple[str, str]]
    accounts: Counter[tuple[str, str]]
    banks: Counter[tuple[str, str]]
    thirds: Counter[tuple[str, str]]


def tally(rows: Iterable[Row]) -> Tally:
    """Count rows of entitlements.csv."""
    counted = Tally(Counter(), Counter(), Counter(), Counter())
    for row in rows:
        tahap = row["tahap"]
        outcome, _, third = row["disposition"].partition("+")
        cut = int(row.get(CUT) or 0)
        counted.rupiah[tahap, outcome] += int(row["amount"]) - cut
        counted.rupiah[tahap, CUT] += cut
        if row["account_check"] not in ("", "OK"):
            counted.accounts[tahap, row["account_check"]] += 1
        if row["transfer"] not in ("", "CREDITED"):
            counted.banks[tahap, row["transfer"]] += 1
        if third:
            counted.thirds[tahap, third] += 1
    return counted


# -- Money ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the rupiah of all tahaps went: what was entitled, split, and split again."""

    paid: int
    blocked: int
    account_failed: int
    transfer_failed: int
    no_valid_payee: int
    open: int
    released: int
    forfeited: int
    cut: int

    @property
    def uncredited(self) -> int:
        """Entitled, but on no account."""
        failed = self.account_failed + self.transfer_failed + self.no_valid_payee
        return failed + self.open + self.cut

    @property
    def entitled(self) -> int:
        """Everything; `open` is what is withheld, or has no answer yet."""
        return self.paid + self.blocked + self.uncredited

    @property
    def held(self) -> int:
        """Credited and blocked still, when the run ended."""
        return self.blocked - self.released - self.forfeited


def flow(counted: Tally, sums: Iterable[Mapping[str, int]]) -> Flow:
    """The flow of some tahaps, of which `sums` are those of summary.json."""
    rupiah: Counter[str] = Counter()
    for (_, outcome), amount in counted.rupiah.items():
        rupiah[outcome.lower()] += amount
    moved = Counter[str]()
    for tahap_sums in sums:
        moved.update({name: tahap_sums.get(name, 0) for name in ("released_idr", "returned_idr")})
    return Flow(
        paid=rupiah["paid"],
        blocked=rupiah["blocked"],
        account_failed=rupiah["account_failed"],
        transfer_failed=rupiah["transfer_failed"],
        no_valid_payee=rupiah["no_valid_payee"],
        open=sum(amount for outcome, amount in rupiah.items() if outcome not in (*OUTCOMES, CUT)),
        released=moved["released_idr"],
        # A transfer that failed returns its own amount at once; the rest of it was blocked.
        forfeited=moved["returned_idr"] - rupiah["transfer_failed"],
        cut=rupiah[CUT],
    )


# -- Lines ----------------------------------------------------------------------------------------


def by_frequency(lines: Iterable[Line]) -> list[Line]:
    """The most frequent first."""
    return sorted(lines, key=lambda line: (-line.total, line.code))


def judged_lines(eligibility: Mapping[str, int]) -> list[Line]:
    """The judgements of families, the most frequent first."""
    return by_frequency(
        Line(word(JUDGED, code), code, (count,)) for code, count in eligibility.items()
    )


def duty_groups(
    summary: Mapping[str, Any],
    duties: Mapping[str, Sequence[UnmetDuty]],
    counted: Tally,
    tahaps: Mapping[str, str],
) -> list[Group]:
    """The judgement of cycles, by duty, and what came of a third failure in a row.

    `tahaps` are ids by the numbers that summary.json gives them; `duties` stand by id.
    """
    groups = [
        _group(summary, word(RESULT, result), f"commitment_{result.lower()}", tahaps, lines)
        for result, lines in (
            ("COMPLIANT", ()),
            ("FAILED", _duty_lines(duties, tahaps.values(), "FAILED")),
            ("UNVERIFIED", _duty_lines(duties, tahaps.values(), "UNVERIFIED")),
        )
    ]
    thirds = _lines(counted.thirds, THIRD_FAILURE, tahaps)
    counts = tuple(sum(column) for column in zip(*(line.counts for line in thirds), strict=True))
    return [*groups, Group(THIRD, "", counts, thirds)] if thirds else groups


def transfer_groups(
    summary: Mapping[str, Any], counted: Tally, tahaps: Iterable[str]
) -> list[Group]:
    """Payments that reached no account, by who found out and why."""
    numbers = list(tahaps)
    by_reason = {
        "account_failed": _lines(counted.accounts, ACCOUNT, numbers),
        "transfer_failed": _lines(counted.banks, ACCOUNT, numbers),
        "no_valid_payee": (),
    }
    return [
        _group(summary, word(UNPAID, name), name, numbers, lines)
        for name, lines in by_reason.items()
    ]


def _group(
    summary: Mapping[str, Any],
    name: Word,
    figure: str,
    tahaps: Iterable[str],
    lines: Sequence[Line],
) -> Group:
    counts = tuple(sums_of(summary, tahap).get(figure, 0) for tahap in tahaps)
    return Group(name, figure, counts, lines)


def _duty_lines(
    duties: Mapping[str, Sequence[UnmetDuty]], tahaps: Collection[str], outcome: str
) -> list[Line]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for tahap in tahaps:
        for row in duties.get(tahap, ()):
            if row.outcome == outcome:
                found.setdefault((row.duty, row.reason), Counter())[tahap] += row.families
    return by_frequency(
        Line(unmet(duty, reason), f"{duty} {reason}", tuple(counts[tahap] for tahap in tahaps))
        for (duty, reason), counts in found.items()
    )


def _lines(
    counter: Counter[tuple[str, str]], words: Mapping[str, Word], tahaps: Collection[str]
) -> list[Line]:
    return by_frequency(
        Line(word(words, code), code, tuple(counter[tahap, code] for tahap in tahaps))
        for code in {code for _, code in counter}
    )


# -- Regencies ------------------------------------------------------------------------------------


def areas(
    summed: Mapping[str, Mapping[str, int]], names: Mapping[str, str], tahaps: Sequence[str]
) -> list[Area]:
    """The regencies of summary.json's "TAHAP/PP.KK", the largest first."""
    codes = {path.partition("/")[2] for path in summed}

    def of(code: str, name: str) -> tuple[int, ...]:
        return tuple(summed.get(f"{tahap}/{code}", {}).get(name, 0) for tahap in tahaps)

    found = [
        Area(code, names.get(code, ""), of(code, "families"), of(code, "entitled_idr"))
        for code in codes
    ]
    return sorted(found, key=lambda area: (-sum(area.entitled), area.code))


def regency_names(directory: Path) -> dict[str, str]:
    """{code: name} of a year's regions.csv, "KABUPATEN SAMBAS" as "Sambas"; empty without it."""
    if not (directory / REGIONS).is_file():
        return {}
    return {
        row["code"]: row["name"].title().removeprefix("Kabupaten ")
        for _, row in read_csv(directory / REGIONS)
        if row["level"] == "regency"
    }


def sums_of(summary: Mapping[str, Any], tahap: str) -> Mapping[str, int]:
    """A tahap's sums of summary.json; empty where it has none."""
    sums: Mapping[str, int] = summary["tahap"].get(tahap, {})
    return sums
