"""Words in which the tests of payments speak: one family's payment, its tahap and its run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.payments.domain.entitlement import Component, Counted
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    Command,
    Credit,
    Entitle,
    Event,
    FailTransfer,
    Hold,
    Instruct,
    Release,
    Return,
    ReturnReason,
)
from services.payments.domain.shared.ids import payment_id
from services.payments.domain.shared.totals import Totals
from services.payments.domain.tahap.messages import (
    AnnouncementProposed,
    ApproveAnnouncement,
    Circumstances,
    ClosingAnnounced,
    Deferral,
    ListFrozen,
    ProposeAnnouncement,
    ServiceAnswer,
    Terms,
)

TAHAP = "2023-1"
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
NEIGHBOUR = "a81d4c3e-2b6f-4e57-9c10-5d8e7f6a0b92"
PAYMENT = payment_id(TAHAP, FAMILY)
AMOUNT = 1_350_000
COMPONENTS = (Component("EARLY_CHILD", 1), Component("SEVERE_DISABILITY", 1))
COUNTED = (Counted(3, "EARLY_CHILD", 750_000), Counted(4, "SEVERE_DISABILITY", 600_000))
ORDER = "SPM-2023-1-REGULAR"
HASH, OTHER_HASH = "a" * 64, "b" * 64

# -- A payment

INSTRUCT = Instruct(ORDER, "BNI", "OK")
CREDIT = Credit("BNI-0001", AMOUNT)
FAIL = FailTransfer("ACCOUNT_CLOSED", AMOUNT)
HOLD = Hold("suspended-2023-1")
RELEASE = Release("released-2023-2", "2023-2")
CLEAR = Release("cleared-2023-1", TAHAP, cleared=True)
CORRECT = Release("corrected-2023-1", TAHAP)
TERMINATE = Return("2023-3", ReturnReason.TERMINATED)
GRADUATE = Return("2023-2", ReturnReason.GRADUATED_NATURAL)


def entitle(
    tahap: str = TAHAP,
    family: str = FAMILY,
    kind: str = "REGULAR",
    amount: int = AMOUNT,
    *,
    payee_valid: bool = True,
    duplicate_person: bool = False,
) -> Entitle:
    """The entitlement of the sample family, or of another."""
    return Entitle(
        tahap=tahap,
        family=family,
        kind=kind,
        region="61.03.01.2026",
        components=COMPONENTS,
        amount=amount,
        payee_valid=payee_valid,
        benefit_policy="2021-2024",
        counted=COUNTED,
        duplicate_person=duplicate_person,
    )


ENTITLE = entitle()


def past(*commands: Command) -> tuple[Event, ...]:
    """The past of a payment that took these commands in a row."""
    events: list[Event] = []
    state = payment.initial
    for command in commands:
        answered = payment.decide(command, state)
        state = payment.fold(answered, state)
        events += answered
    return tuple(events)


ENTITLED = past(ENTITLE)
INSTRUCTED = past(ENTITLE, INSTRUCT)
CREDITED = past(ENTITLE, INSTRUCT, CREDIT)
FAILED = past(ENTITLE, INSTRUCT, FAIL)
BLOCKED = past(HOLD, ENTITLE, INSTRUCT, CREDIT)

# -- A tahap

RULE_SET = "2021-2024"
TERMS = Terms(
    tahap=TAHAP,
    months=("2023-01", "2023-02", "2023-03"),
    closing_date=date(2023, 3, 31),
    account_check_date=date(2023, 4, 5),
    credit_date=date(2023, 4, 20),
    policies={"rule_set": RULE_SET},
)
AFTER = {"registry": 4180, "conditionality": 5120}
ANSWERS = tuple(ServiceAnswer(name, head, {RULE_SET: None}) for name, head in AFTER.items())
ALONE = Circumstances(answers=ANSWERS)
"""Every service runs the rule set and has reached `AFTER`, and no other tahap stands."""
PROPOSE = ProposeAnnouncement(TERMS, AFTER, "maker", ALONE)
PROPOSED = AnnouncementProposed(TAHAP, 1, TERMS, AFTER, "maker")
APPROVE = ApproveAnnouncement("checker", PROPOSED.hash, AFTER, ALONE)
ANNOUNCED = ClosingAnnounced(
    tahap=TAHAP,
    months=TERMS.months,
    closing_date=TERMS.closing_date,
    account_check_date=TERMS.account_check_date,
    credit_date=TERMS.credit_date,
    policies=TERMS.policies,
    after=AFTER,
    maker="maker",
    checker="checker",
)
PARKED = Deferral(NEIGHBOUR, "PARKED")


def frozen(deferred: Sequence[Deferral] = ()) -> ListFrozen:
    """The sample list, frozen."""
    return ListFrozen(TAHAP, HASH, 3, 3_000_000, tuple(deferred), "maker", "checker")


# -- Totals


def of(count: int, rupiah: int) -> Totals:
    """A count of payments and their sum."""
    return Totals(count, rupiah)
