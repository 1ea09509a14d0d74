"""Every row of the sample years: its amount by the benefit table, and what its money comes to.

Commitment, account check and transfer of a row are given; what follows from them for disposition
and for money released and returned must be what the row says. Decisions on held money come before
the credit in one run and after it in the other, and the rows must not tell the difference.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import pytest

from services.payments import policy
from services.payments.domain.entitlement import Component, Member, amount_of, cut_of, entitlement
from services.payments.domain.ledger import (
    Movement,
    of_payment,
    of_run,
)
from services.payments.domain.ledger_checks import (
    balances,
    check_balances,
    check_reconciled,
    sums_by_name,
)
from services.payments.domain.listing import components_text
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    Command,
    Credit,
    Entitle,
    Event,
    FailAccountCheck,
    FailTransfer,
    Hold,
    HoldStatus,
    Instruct,
    PaymentCredited,
    PaymentReleased,
    PaymentReturned,
    Release,
    Return,
    ReturnReason,
    TransferFailed,
)
from services.payments.domain.payment.state import Entitled, PaymentState
from services.payments.domain.run.messages import FundsReleased
from tests.sample_years import EXAMPLES, rule_set_of

ROWS = {"kalbar-small": 674, "kalbar-2023": 7_147, "kalbar-2025": 928}
YEARS = tuple(ROWS)
FAILURES_TO_INVESTIGATION = 3
TABLES = {year: policy.load().benefit(rule_set_of(EXAMPLES / year)) for year in YEARS}

Row = Mapping[str, str]


@cache
def rows(year: str) -> Sequence[Row]:
    with (EXAMPLES / year / "expected" / "entitlements.csv").open(newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def findings(year: str) -> Mapping[str, str]:
    """The findings of an investigation, by family card."""
    with (EXAMPLES / year / "investigations.csv").open(newline="") as file:
        return {row["no_kk"]: row["outcome"] for row in csv.DictReader(file)}


def families(year: str) -> Iterator[tuple[str, list[Row]]]:
    for no_kk, group in groupby(rows(year), lambda row: row["no_kk"]):
        yield no_kk, list(group)


def parts(text: str) -> tuple[Component, ...]:
    split = (part.split(":") for part in text.split(";") if part)
    return tuple(Component(category, int(members)) for category, members in split)


# -- Amounts


@pytest.mark.parametrize("year", YEARS)
def test_the_whole_year_is_looked_at(year: str) -> None:
    assert len(rows(year)) == ROWS[year]
    assert sum(len(its_rows) for _, its_rows in families(year)) == ROWS[year]


@pytest.mark.parametrize("year", YEARS)
def test_components_come_to_the_amount_of_every_row(year: str) -> None:
    for row in rows(year):
        assert amount_of(parts(row["components"]), TABLES[year]) == int(row["amount"]), row


@pytest.mark.parametrize("year", YEARS)
def test_members_with_these_categories_come_to_every_rows_components(year: str) -> None:
    for row in rows(year):
        held = [part.category for part in parts(row["components"]) for _ in range(part.members)]
        members = [Member(n, len(held) - n, (category,)) for n, category in enumerate(held)]

        answer = entitlement(members, TABLES[year])

        said = (components_text(answer.components), answer.amount)
        assert said == (row["components"], int(row["amount"])), row


# -- Money


@dataclass
class Family:
    """A family's payments of a year, and what its commitment decides about them."""

    year: str
    finding: str
    early: bool  # decisions come before the credit
    states: dict[str, PaymentState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    counter: int = 0
    held: list[str] = field(default_factory=list)

    def tell(self, tahap: str, *commands: Command) -> None:
        for command in commands:
            state = self.states.get(tahap, payment.initial)
            answered = payment.decide(command, state)
            self.states[tahap] = payment.fold(answered, state)
            self.events += answered
            for event in answered:
                self.movements += of_payment(event, self.states[tahap])

    def pay(self, row: Row) -> str:
        """One tahap from its row's commitment, account check and transfer; answers disposition."""
        tahap = tahap_of(self.year, row)
        if row["commitment"] == "":
            for each in self.held:
                self.tell(each, Return(tahap, ReturnReason.GRADUATED_NATURAL))
            return "GRADUATED_NATURAL"
        suffix, decisions = self.judge(tahap, row["commitment"])
        before, after = (decisions, []) if self.early else ([], decisions)
        for each, command in before:
            self.tell(each, command)
        self.transfer(tahap, row)
        for each, command in after:
            self.tell(each, command)
        return self.outcome(tahap) + suffix

    def judge(self, tahap: str, commitment: str) -> tuple[str, list[tuple[str, Command]]]:
        """The end of a disposition, and what is decided on held money beyond this one's hold."""
        if commitment == "UNVERIFIED":
            return "", []
        if commitment == "COMPLIANT":
            return "", self.let_go(Release(f"released-{tahap}", tahap))
        self.counter += 1
        if not cuts(self.year):
            self.held.append(tahap)
            # A suspension is decided with the evaluation, before the list is frozen.
            self.tell(tahap, Hold(f"suspended-{tahap}"))
        if self.counter != FAILURES_TO_INVESTIGATION:
            return "", []
        if self.finding == "CONFIRMED":
            return "+TERMINATED", self.let_go(Return(tahap, ReturnReason.TERMINATED))
        if self.finding == "NOT_CONFIRMED":
            cleared = Release(f"cleared-{tahap}", tahap, cleared=True)
            return "+CLEARED", self.let_go(cleared)
        return "+INVESTIGATION", []

    def let_go(self, command: Command) -> list[tuple[str, Command]]:
        held_now = [(each, command) for each in self.held]
        self.counter, self.held = 0, []
        return held_now

    def transfer(self, tahap: str, row: Row) -> None:
        payee_valid = row["account_check"] != ""
        entitled = entitle(self.year, row, payee_valid)
        due = entitled.amount - entitled.cut.rupiah
        self.tell(tahap, entitled)
        if row["account_check"] not in ("", "OK"):
            self.tell(tahap, FailAccountCheck(row["account_check"]))
        if row["transfer"]:
            self.tell(tahap, Instruct(f"SPM-{tahap}-REGULAR", "BNI", row["account_check"]))
        if row["transfer"] == "CREDITED":
            self.tell(tahap, Credit(f"BNI-{tahap}", due))
        elif row["transfer"]:
            self.tell(tahap, FailTransfer(row["transfer"], due))

    def outcome(self, tahap: str) -> str:
        state = self.states[tahap]
        if isinstance(state, Entitled) and not state.terms.payee_valid:
            return "NO_VALID_PAYEE"
        if state.transfer != "CREDITED":
            return {"FAILED": "TRANSFER_FAILED"}.get(state.transfer, state.transfer)
        credit = next(
            event
            for event in self.events
            if isinstance(event, PaymentCredited) and event.tahap == tahap
        )
        return "BLOCKED" if credit.hold is HoldStatus.HELD else "PAID"

    def moved(self, tahap: str, kind: type[Any]) -> int:
        return sum(
            event.amount
            for event in self.events
            if isinstance(event, kind) and getattr(event, "at_tahap", event.tahap) == tahap
        )


def cuts(year: str) -> bool:
    """A failed cycle of the year cuts its benefit and holds nothing."""
    return rule_set_of(EXAMPLES / year) == "2025-2026"


def tahap_of(year: str, row: Row) -> str:
    return f"{2025 if cuts(year) else 2023}-{row['tahap']}"


def entitle(year: str, row: Row, payee_valid: bool) -> Entitle:
    percent = 10 if cuts(year) and row["commitment"] == "FAILED" else 0
    return Entitle(
        tahap=tahap_of(year, row),
        family=row["no_kk"],
        kind="REGULAR",
        region=row["region_code"],
        components=parts(row["components"]),
        amount=int(row["amount"]),
        payee_valid=payee_valid,
        benefit_policy=TABLES[year].id,
        cut=cut_of(int(row["amount"]), percent, 1),
    )


def said_of(family: Family, row: Row) -> tuple[str, int, int]:
    """(disposition, released, returned) of a row, as the family's payments come to it."""
    disposition, tahap = family.pay(row), tahap_of(family.year, row)
    returned = family.moved(tahap, PaymentReturned) + family.moved(tahap, TransferFailed)
    return disposition, family.moved(tahap, PaymentReleased), returned


@cache
def paid_year(
    year: str, early: bool
) -> tuple[Sequence[tuple[Row, tuple[str, int, int]]], Sequence[Movement]]:
    """Each row with what `said_of` says of it, and all movements: paid once for both tests."""
    results: list[tuple[Row, tuple[str, int, int]]] = []
    movements: list[Movement] = []
    for no_kk, its_rows in families(year):
        family = Family(year, findings(year).get(no_kk, ""), early)
        results += [(row, said_of(family, row)) for row in its_rows]
        movements += family.movements
    return results, movements


@pytest.mark.parametrize("early", [True, False], ids=["decided early", "decided late"])
@pytest.mark.parametrize("year", YEARS)
def test_every_row_comes_to_its_disposition_released_and_returned(year: str, early: bool) -> None:
    for row, result in paid_year(year, early)[0]:
        assert result == (row["disposition"], int(row["released"]), int(row["returned"])), row


@pytest.mark.parametrize("early", [True, False], ids=["decided early", "decided late"])
@pytest.mark.parametrize("year", YEARS)
def test_the_books_of_the_year_agree_to_the_rupiah(year: str, early: bool) -> None:
    movements = [*funds(year), *paid_year(year, early)[1]]

    accounts = balances(movements)
    assert check_balances(accounts) == []
    for tahap in sorted({tahap_of(year, row) for row in rows(year)}):
        its_own = sums_by_name(each for each in movements if each.tahap == tahap)
        assert check_reconciled(tahap, its_own) == []
    assert {account for account, balance in accounts.items() if balance} <= {
        "state_treasury",
        "family_available",
        "family_blocked",
        "benefit_cut",
    }
    assert accounts.get("benefit_cut", 0) == sum(int(row.get("cut") or 0) for row in rows(year))
    assert accounts["family_available"] == paid_and_released(year)


def funds(year: str) -> Iterator[Movement]:
    """The treasury's release for each tahap: the payments that stand in the order."""
    for n in "1234":
        ordered = [ordered_of(row) for row in rows(year) if row["tahap"] == n and row["transfer"]]
        tahap = tahap_of(year, {"tahap": n})
        order = f"SPM-{tahap}-REGULAR"
        released = FundsReleased(tahap, "REGULAR", order, f"SP2D-{n}", len(ordered), sum(ordered))
        yield from of_run(released)


def ordered_of(row: Row) -> int:
    """The rupiah of a row in the payment order."""
    return int(row["amount"]) - int(row.get("cut") or 0)


def paid_and_released(year: str) -> int:
    if cuts(year):  # an investigation moves nothing of what is paid
        return sum(ordered_of(row) for row in rows(year) if row["transfer"] == "CREDITED")
    paid = sum(int(row["amount"]) for row in rows(year) if row["disposition"] == "PAID")
    return paid + sum(int(row["released"]) for row in rows(year))
