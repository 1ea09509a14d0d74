"""The results of a year, in the files and columns of its expected ones: rows, sums, files."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO

from cli.client.year import cards_in_order, complaints_in_order, rows

ELIGIBILITY: Final = "eligibility.csv"
ENTITLEMENTS: Final = "entitlements.csv"
SUMMARY: Final = "summary.json"
GROUPS: Final = "p2k2_groups.csv"
LEARNING: Final = "p2k2_families.csv"
INDICATORS: Final = "indicators.json"
CASES: Final = "cases.csv"

ELIGIBILITY_COLUMNS: Final = ("no_kk", "status", "reason")
ENTITLEMENT_COLUMNS: Final = (
    "tahap",
    "no_kk",
    "region_code",
    "components",
    "amount",
    "commitment",
    "failing_members",
    "disposition",
    "account_check",
    "transfer",
    "released",
    "returned",
)
GROUP_COLUMNS: Final = (
    "tahap",
    "group_id",
    "families",
    "sessions",
    "present",
    "excused",
    "absent",
    "reached",
)
LEARNING_COLUMNS: Final = ("no_kk", "sessions_attended", "modules_completed")
CASE_COLUMNS: Final = (
    "complaint_no",
    "start_level",
    "level",
    "due_on",
    "escalations",
    "status",
    "overdue",
    "resolution",
)
CUT: Final = "cut"
"""The column that entitlements.csv has besides in a year in which anything is cut."""

PERSONAL: Final = frozenset({"no_kk", "failing_members"})

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Designation:
    """The judgement of a family as projection says it."""

    family: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A tahap's row of a family as projection has it; `failing` are member numbers."""

    tahap: str
    family: str
    region: str
    components: str
    amount: int
    commitment: str
    failing: tuple[int, ...]
    disposition: str
    account_check: str
    transfer: str
    released: int
    returned: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class GroupInTahap:
    """A group's sessions in a tahap, as projection counts them."""

    group: str
    families: int
    sessions: int
    present: int
    excused: int
    absent: int
    reached: int


@dataclass(frozen=True, slots=True)
class LearningFamily:
    """The sessions that a family was at, and the modules of which it was at all."""

    family: str
    sessions_attended: int
    modules_completed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sessions:
    """The outcome of group sessions: groups and indicators by the tahap's id, families of years."""

    groups: Mapping[str, Sequence[GroupInTahap]] = field(default_factory=dict)
    families: Sequence[LearningFamily] = ()
    indicators: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's number within the family and NIK, in clear."""

    member: int
    nik: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a family is, in clear: for the output files alone."""

    family: str
    no_kk: str = field(repr=False)
    members: tuple[Member, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """A filed complaint's case at the end of a day, as complaints tells of it."""

    reference: str
    start_level: str
    level: str
    due_on: date | None
    escalations: int
    status: str
    overdue: bool
    resolution: str


@dataclass(frozen=True, slots=True)
class Results:
    """The answers of projection and of the registry's look-up to a year."""

    designations: Sequence[Designation]
    entitlements: Sequence[Entitlement]
    identities: Sequence[Identity]
    sessions: Sessions = field(default_factory=Sessions)


# -- Rows -----------------------------------------------------------------------------------------


def eligibility_rows(results: Results, cards: Iterable[str]) -> list[Row]:
    """A row for every family that was judged, in the order of `cards`."""
    judged = {designation.family: designation for designation in results.designations}
    by_card = {who.no_kk: judged[who.family] for who in results.identities if who.family in judged}
    return [
        {"no_kk": card, "status": by_card[card].status, "reason": by_card[card].reason}
        for card in cards
        if card in by_card
    ]


def entitlement_rows(results: Results, cards: Iterable[str]) -> list[Row]:
    """The rows of every family, family by family in the order of `cards`, tahap by tahap."""
    of_family: dict[str, list[Entitlement]] = {}
    for entitlement in results.entitlements:
        of_family.setdefault(entitlement.family, []).append(entitlement)
    by_card = {who.no_kk: who for who in results.identities}
    return [
        _row(entitlement, by_card[card])
        for card in cards
        if card in by_card
        for entitlement in sorted(
            of_family.get(by_card[card].family, ()), key=lambda row: row.tahap
        )
    ]


def _row(entitlement: Entitlement, who: Identity) -> Row:
    failing = sorted(member.nik for member in who.members if member.member in entitlement.failing)
    return {
        "tahap": tahap_number(entitlement.tahap),
        "no_kk": who.no_kk,
        "region_code": entitlement.region,
        "components": entitlement.components,
        "amount": str(entitlement.amount),
        "commitment": entitlement.commitment,
        "failing_members": ";".join(failing),
        "disposition": entitlement.disposition,
        "account_check": entitlement.account_check,
        "transfer": entitlement.transfer,
        "released": str(entitlement.released),
        "returned": str(entitlement.returned),
        CUT: str(entitlement.cut),
    }


def group_rows(sessions: Sessions) -> list[Row]:
    """A row for every tahap and group, ascending."""
    return [
        {
            "tahap": tahap_number(tahap),
            "group_id": row.group,
            **{name: str(getattr(row, name)) for name in GROUP_COLUMNS[2:]},
        }
        for tahap, rows in sorted(sessions.groups.items())
        for row in sorted(rows, key=lambda row: row.group)
    ]


def learning_rows(results: Results, cards: Iterable[str]) -> list[Row]:
    """A row for every family that ever took part, in the order of `cards`."""
    learnt = {row.family: row for row in results.sessions.families}
    by_card = {who.no_kk: learnt[who.family] for who in results.identities if who.family in learnt}
    return [
        {
            "no_kk": card,
            "sessions_attended": str(by_card[card].sessions_attended),
            "modules_completed": ";".join(by_card[card].modules_completed),
        }
        for card in cards
        if card in by_card
    ]


def case_rows(cases: Iterable[CaseStanding], numbers: Iterable[str]) -> list[Row]:
    """A row for every complaint that is a case, in the order of `numbers`."""
    standing = {case.reference: case for case in cases}
    return [
        {
            **{name: str(getattr(standing[number], name)) for name in CASE_COLUMNS[1:]},
            "complaint_no": number,
            "overdue": "Y" if standing[number].overdue else "N",
        }
        for number in numbers
        if number in standing
    ]


def tahap_number(tahap: str) -> str:
    """The number that files give a tahap: "1" of "2023-1"."""
    return tahap.rpartition("-")[2]


# -- Sums -----------------------------------------------------------------------------------------

COUNTED: Final[Mapping[str, str]] = {
    "PAID": "paid",
    "BLOCKED": "blocked",
    "TRANSFER_FAILED": "transfer_failed",
    "ACCOUNT_FAILED": "account_failed",
    "NO_VALID_PAYEE": "no_valid_payee",
    "GRADUATED_NATURAL": "graduated",
}
"""The count that a row adds to, by its disposition before the `+`."""


def summary(eligibility: Iterable[Row], entitlements: Iterable[Row]) -> dict[str, Any]:
    """The sums of summary.json; counts of zero are left out."""
    judged = Counter(":".join(filter(None, (row["status"], row["reason"]))) for row in eligibility)
    tahaps: dict[str, Counter[str]] = {}
    areas: dict[str, Counter[str]] = {}
    for row in entitlements:
        disposition = row["disposition"].partition("+")[0]
        in_tahap = tahaps.setdefault(row["tahap"], Counter())
        in_area = areas.setdefault(f"{row['tahap']}/{row['region_code'][:5]}", Counter())
        for sums in (in_tahap, in_area):
            sums["families"] += disposition not in ("GRADUATED_NATURAL", "GRADUATION_PENDING")
            sums["entitled_idr"] += int(row["amount"])
        in_tahap.update(_moved(row, disposition))
    return {
        "eligibility": dict(judged),
        "tahap": {name: dict(sums) for name, sums in tahaps.items()},
        "kabupaten": {name: dict(sums) for name, sums in areas.items()},
    }


def _moved(row: Row, disposition: str) -> dict[str, int]:
    cut = int(row.get(CUT) or 0)
    ordered = int(row["amount"]) - cut
    sums = {
        "credited_idr": ordered if disposition in ("PAID", "BLOCKED") else 0,
        "paid_idr": ordered if disposition == "PAID" else 0,
        "released_idr": int(row["released"]),
        "returned_idr": int(row["returned"]),
    }
    if cut:
        sums["cut_idr"] = cut
    if disposition in COUNTED:
        sums[COUNTED[disposition]] = 1
    if row["commitment"]:
        sums[f"commitment_{row['commitment'].lower()}"] = 1
    return sums


# -- Files ----------------------------------------------------------------------------------------


def write_results(
    out: Path, results: Results, year: Path, cases: Sequence[CaseStanding]
) -> dict[str, Any]:
    """Write the files, which only their owner may read, and give the summary.

    Rows stand in the order of the families and the complaints in the year's own files.

    They name family cards and members' numbers; a spreadsheet takes no cell of theirs for a
    formula, because each is a number, a code or a day by its form.
    """
    cards, complaints = list(cards_in_order(year)), complaints_in_order(year)
    eligibility, entitlements = eligibility_rows(results, cards), entitlement_rows(results, cards)
    summed = summary(eligibility, entitlements)
    out.mkdir(parents=True, exist_ok=True)
    _write_csv(out / ELIGIBILITY, ELIGIBILITY_COLUMNS, eligibility)
    cuts = any(row[CUT] != "0" for row in entitlements)
    columns = (*ENTITLEMENT_COLUMNS, CUT) if cuts else ENTITLEMENT_COLUMNS
    _write_csv(out / ENTITLEMENTS, columns, entitlements)
    _write_csv(out / GROUPS, GROUP_COLUMNS, group_rows(results.sessions))
    _write_csv(out / LEARNING, LEARNING_COLUMNS, learning_rows(results, cards))
    _write_csv(out / CASES, CASE_COLUMNS, case_rows(cases, complaints))
    indicators = {
        tahap_number(tahap): dict(counts) for tahap, counts in results.sessions.indicators.items()
    }
    for name, sums in ((SUMMARY, summed), (INDICATORS, indicators)):
        with _private(out / name) as file:
            file.write(f"{json.dumps(sums, indent=1, sort_keys=True)}\n")
    return summed


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with _private(path) as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _private(path: Path) -> TextIO:
    path.touch(mode=0o600)
    path.chmod(0o600)  # one that stood there from an earlier run
    return path.open("w", encoding="utf-8", newline="")


def read_csv(path: Path) -> Iterator[tuple[int, Row]]:
    """(line, cells by column) of each row; the header is line 1. Raises `Failed`, see `rows`."""
    return rows(path)
