"""The proof: every row that a sample year must come to, from its files through pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from libs.events.store.codec import Codec
from services.registry.contract import FAMILY
from services.registry.domain.closing import Closing
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    NOBODY_ELSEWHERE,
    Command,
    ListFamily,
    MarkTerminated,
)
from services.registry.domain.family.events import (
    FamilyDesignated,
    FamilyListed,
    MembersRegistered,
    RosterMember,
)
from services.registry.domain.family.lines import paid_by
from services.registry.domain.family.roster import CATEGORIES, rank_by_nik, sharing_birth_date
from services.registry.domain.family.state import Family
from services.registry.policy import load_rule_sets
from tests.sample_years import rule_set_of
from tests.unit.registry.families import decided
from tests.unit.registry.sample_year import Row, closings, commands, rows

# Rupiah a tahap since 2021, for the amount that the list's components come to.
WORTH = {
    "PREGNANT": 750_000,
    "EARLY_CHILD": 750_000,
    "SEVERE_DISABILITY": 600_000,
    "ELDERLY": 600_000,
    "SMA": 500_000,
    "SMP": 375_000,
    "SD": 225_000,
}
MEMBERS_THAT_COUNT_MAX = 4


class Listed(NamedTuple):
    """A family after one closing: what it answered, and which tahap of the year it was."""

    card: str
    tahap: str
    designated: FamilyDesignated | None
    line: FamilyListed | None
    paid: bool


@pytest.fixture(scope="module")
def year(sample_year: Path) -> Path:
    return sample_year


@pytest.fixture(scope="module")
def listed(year: Path) -> list[Listed]:
    """The whole year: facts first, then closing after closing, terminations as expected."""
    terminated = {
        (row["no_kk"], row["tahap"])
        for row in rows(year / "expected/entitlements.csv")
        if row["disposition"].endswith("+TERMINATED")
    }
    calendar = list(closings(year, load_rule_sets().named(rule_set_of(year))))
    return [
        answer
        for card, asked in commands(year).items()
        for answer in _through_the_year(card, asked, calendar, terminated)
    ]


def _through_the_year(
    card: str, asked: list[Command], calendar: list[Closing], terminated: set[tuple[str, str]]
) -> Iterator[Listed]:
    state, niks = family.initial, dict[int, str]()
    for command in asked:
        for event in decided(command, state):
            state = family.evolve(state, event)
            if isinstance(event, MembersRegistered):
                numbered = enumerate(event.rows, start=event.first_member)
                niks |= {number: row.nik for number, row in numbered}
    for closing in calendar:
        order = rank_by_nik({m: niks[m] for m in sharing_birth_date(state)})
        paid = paid_by(closing, state, NOBODY_ELSEWHERE) is not None
        answer = list(family.decide(ListFamily(closing, order), state))
        state = _kept(family.fold(answer, state))
        tahap = closing.tahap.split("-")[1]
        yield Listed(
            card,
            tahap,
            next((e for e in answer if isinstance(e, FamilyDesignated)), None),
            next((e for e in answer if isinstance(e, FamilyListed)), None),
            paid,
        )
        if (card, tahap) in terminated:
            ended = family.decide(MarkTerminated(closing.tahap, "effect"), state)
            state = family.fold(ended, state)


def _kept(state: Family) -> Family:
    """The state as its snapshot gives it back."""
    codec = Codec(FAMILY)
    back = codec.decode_state(codec.encode_state(state), codec.shape)
    assert back == state
    return back


def test_every_family_is_judged_as_expected(year: Path, listed: list[Listed]) -> None:
    judged = [
        (each.card, each.designated.status, each.designated.reason)
        for each in listed
        if each.designated is not None
    ]

    expected = [tuple(row.values()) for row in rows(year / "expected/eligibility.csv")]

    assert judged == expected


def test_exactly_the_expected_families_stand_on_each_list(year: Path, listed: list[Listed]) -> None:
    lines = [(each.tahap, each.card) for each in listed if each.line is not None]

    expected = rows(year / "expected/entitlements.csv")

    assert lines == [(row["tahap"], row["no_kk"]) for row in expected]


def test_every_line_says_what_its_entitlement_needs(year: Path, listed: list[Listed]) -> None:
    found = {
        (each.tahap, each.card): _as_expected(each.line) for each in listed if each.line is not None
    }

    for row in rows(year / "expected/entitlements.csv"):
        key = row["tahap"], row["no_kk"]
        assert found[key] == _what_the_list_decides(row), key


def test_every_line_names_the_account_that_the_check_expects(
    year: Path, listed: list[Listed]
) -> None:
    books = {(row["bank_code"], row["account_no"]): row for row in rows(year / "bank_accounts.csv")}
    check_days = {row["tahap"]: row["account_check_date"] for row in rows(year / "calendar.csv")}
    lines = {(each.tahap, each.card): each.line for each in listed if each.line is not None}

    for row in rows(year / "expected/entitlements.csv"):
        line = lines[row["tahap"], row["no_kk"]]
        if row["account_check"]:
            checked = _account_check(line, books, check_days[row["tahap"]])
            assert checked == row["account_check"], (row["tahap"], row["no_kk"])


def test_who_would_be_paid_is_known_before_their_lines(listed: list[Listed]) -> None:
    valid = [each.line is not None and each.line.payee_valid for each in listed]

    assert [each.paid for each in listed] == valid


def _as_expected(line: FamilyListed) -> tuple[str, str, int, str]:
    counting = _most_valuable(line.members)
    components = ";".join(f"{c}:{counting.count(c)}" for c in CATEGORIES if c in counting)
    disposition = "" if line.payee_valid else "NO_VALID_PAYEE"
    if line.outcome == "GRADUATED_NATURAL":
        disposition = line.outcome
    return line.region, components, sum(WORTH[c] for c in counting), disposition


def _what_the_list_decides(row: Row) -> tuple[str, str, int, str]:
    disposition = row["disposition"].split("+")[0]
    if disposition not in ("NO_VALID_PAYEE", "GRADUATED_NATURAL"):
        disposition = ""
    return row["region_code"], row["components"], int(row["amount"]), disposition


def _most_valuable(members: tuple[RosterMember, ...]) -> list[str]:
    """Each member once, for the category worth most; of these the four worth most."""
    best = [
        (max(member.closing, key=lambda c: (WORTH[c], -CATEGORIES.index(c))), member.seniority)
        for member in members
        if member.closing
    ]
    best.sort(key=lambda counted: (-WORTH[counted[0]], counted[1]))
    return [category for category, _ in best[:MEMBERS_THAT_COUNT_MAX]]


def _account_check(line: FamilyListed, books: dict[tuple[str, str], Row], on: str) -> str:
    """The bank's finding on a day when it is asked for the line's account and payee."""
    account = books.get((line.bank or "", line.account_no or ""))
    if account is None:
        return "ACCOUNT_NOT_FOUND"
    if account["status"] != "ACTIVE" and account["status_since"] <= on:
        return f"ACCOUNT_{account['status']}"
    if account["holder_nik"] != line.payee_nik:
        return "NIK_MISMATCH"
    if _letters(account["holder_name"]) != _letters(line.account_name or ""):
        return "NAME_MISMATCH"
    return "OK"


def _letters(name: str) -> list[str]:
    return re.sub("[^A-Z]", " ", name.upper()).split()
