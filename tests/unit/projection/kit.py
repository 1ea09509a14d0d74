"""Words in which the tests of explanations speak: a family of three, one tahap, what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from services.projection.explanation.answer import Explanation, ExplanationStep
from services.projection.explanation.facts import FamilyRegistered, MemberFacts, MembersRegistered
from services.projection.explanation.messages import (
    Counted,
    CycleEvaluated,
    Duty,
    Evidence,
    FamilyDesignated,
    InvestigationOpened,
    PaymentCredited,
    PaymentEntitled,
    PaymentInstructed,
    Published,
    Suspended,
)
from services.projection.explanation.story import Story
from services.projection.explanation.tahap_messages import (
    AccountCheckSent,
    BankFileSent,
    BankResultReceived,
    Benefit,
    BenefitSource,
    ClosingAnnounced,
    EvaluationAnnounced,
    FundsReleased,
    ListFrozen,
    ListingStarted,
    PaymentOrdered,
    PaymentRequested,
    Rules,
    RuleSource,
    Terms,
    TermsSource,
)
from services.projection.explanation.why import explain

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
PAYMENT = "c0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d"
SUPPLEMENTARY_PAYMENT = "d0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d"
TAHAP = "2023-1"
REGION = "61.03.01.2026"
CUT = 100
HASH = "a" * 64


def day(text: str) -> date:
    return date.fromisoformat(text)


def registry(position: int, body: Any) -> Published[Any]:
    return Published("registry", position, body)


def conditionality(position: int, body: Any) -> Published[Any]:
    return Published("conditionality", position, body)


def payments(position: int, body: Any) -> Published[Any]:
    return Published("payments", position, body)


# -- The family: a mother of 1990, a pupil of 2012, a toddler of 2020 -----------------------------


def member(number: int, born: str, **changes: Any) -> MemberFacts:
    facts: dict[str, Any] = {
        "school_level": None,
        "severe_disability": False,
        "pregnant": False,
    }
    return MemberFacts(member=number, born=born, **(facts | changes))


def card(*members: MemberFacts, payee: int | None = 1) -> Published[Any]:
    return registry(11, MembersRegistered(FAMILY, members, payee))


MOTHER = member(1, "1990-1999")
PUPIL = member(2, "2010-2019", school_level="SD")
TODDLER = member(3, "2020-2029")
REGISTERED = registry(10, FamilyRegistered(FAMILY, REGION, dtks=True))
CARD = card(MOTHER, PUPIL, TODDLER)


def designated(status: str = "ELIGIBLE", reason: str = "", tahap: str = TAHAP) -> Published[Any]:
    return registry(120, FamilyDesignated(FAMILY, tahap, status, reason, REGION))


KNOWN_FAMILY = (REGISTERED, CARD, designated())

# -- The tahap ------------------------------------------------------------------------------------

RULES = Rules(
    id="2021-2024",
    excluded_occupations=("ASN",),
    pregnancy_days_before=280,
    pregnancy_days_after=42,
    pregnancy_order_max=2,
    early_child_below_years=7,
    school_from_years=6,
    school_to_years=21,
    elderly_from_years=70,
    payee_from_years=17,
    references=(
        RuleSource("Permensos 1/2018", ("school_from_years", "school_to_years")),
        RuleSource("Ganti pengurus", ("payee_from_years",)),
        RuleSource("Komponen 2021", ("early_child_below_years", "elderly_from_years")),
    ),
)
BENEFIT = Benefit(
    id="2021-2024",
    members_max=4,
    amounts={"EARLY_CHILD": 750_000, "SD": 225_000, "ELDERLY": 600_000, "PREGNANT": 750_000},
    references=(BenefitSource("Indeks bantuan 2021"),),
)
TERMS = Terms(
    attendance_percent_min=85,
    services={"EARLY_CHILD": "WEIGHING", "ELDERLY": "ELDERLY_CHECK", "PREGNANT": "MATERNAL_CHECK"},
    failures_to_investigation=3,
    sources=(
        TermsSource("ATTENDANCE", "Kebijakan 2017, pendidikan"),
        TermsSource("DUTIES", "Kebijakan 2017, kewajiban"),
        TermsSource("SANCTION", "Kebijakan 2017, penangguhan"),
    ),
)
ANNOUNCED = payments(
    1,
    ClosingAnnounced(
        tahap=TAHAP,
        months=("2023-01", "2023-02", "2023-03"),
        closing_date=day("2023-03-31"),
        account_check_date=day("2023-04-05"),
        credit_date=day("2023-04-20"),
        policies={"rule_set": "2021-2024"},
        benefit=BENEFIT,
    ),
)
LISTING = registry(CUT + 1, ListingStarted(TAHAP, 1, day("2023-03-31"), CUT, RULES))
JUDGING = conditionality(1, EvaluationAnnounced(TAHAP, "2021-2024", TERMS))
CLOSING = (ANNOUNCED, LISTING, JUDGING)
FIRST, LAST = "0" * 36, "f" * 36
PAPERS = (
    payments(20, ListFrozen(TAHAP, HASH, 170, 126_275_000, "maker", "checker")),
    payments(40, AccountCheckSent(TAHAP, "REGULAR", "2023-1-CHECK-1", FIRST, LAST, HASH)),
    payments(50, PaymentRequested(TAHAP, "REGULAR", "SPP-1", HASH, "maker")),
    payments(51, PaymentOrdered(TAHAP, "REGULAR", "SPM-1", HASH, "maker", "checker")),
    payments(52, FundsReleased(TAHAP, "REGULAR", "SPM-1", "6173")),
    payments(60, BankFileSent(TAHAP, "REGULAR", "BNI", "2023-1-BNI-1", FIRST, LAST, HASH)),
    payments(61, BankFileSent(TAHAP, "REGULAR", "BRI", "2023-1-BRI-1", FIRST, LAST, HASH)),
    payments(70, BankResultReceived(TAHAP, "REGULAR", "BNI", "2023-1-BNI-1", HASH)),
)

# -- The cycle and the money ----------------------------------------------------------------------

PASSED = Duty(2, "SD", "2023-01", "PASSED", None)
ABSENT = Duty(2, "SD", "2023-02", "FAILED", "ATTENDANCE_BELOW_THRESHOLD")
UNSEEN = Duty(3, "EARLY_CHILD", "2023-03", "UNVERIFIED", "NO_RECORD")
DAYS_AWAY = Evidence(2, "SD", "2023-02", None, (), 21, 3, 1, 2)


def cycle(
    result: str = "COMPLIANT",
    *duties: Duty,
    counter: int = 0,
    revision: int = 1,
    evidence: tuple[Evidence, ...] = (),
    tahap: str = TAHAP,
    position: int = 10,
) -> Published[Any]:
    published = CycleEvaluated(
        tahap, FAMILY, revision, result, counter, duties or (PASSED,), evidence
    )
    return conditionality(position, published)


def failed(counter: int = 1) -> tuple[Published[Any], ...]:
    """A cycle in which the pupil was away too often."""
    opened = conditionality(12, InvestigationOpened(FAMILY, TAHAP, TAHAP, counter))
    return (
        cycle("FAILED", PASSED, ABSENT, counter=counter, evidence=(DAYS_AWAY,)),
        conditionality(11, Suspended(FAMILY, TAHAP, counter)),
        *((opened,) if counter == 3 else ()),
    )


COUNTED = (Counted(2, "SD", 225_000), Counted(3, "EARLY_CHILD", 750_000))


def entitled(
    *counted: Counted, amount: int | None = None, payee_valid: bool = True, kind: str = "REGULAR"
) -> Published[Any]:
    counts = counted or COUNTED
    owed = sum(each.amount for each in counts) if amount is None else amount
    payment = PAYMENT if kind == "REGULAR" else SUPPLEMENTARY_PAYMENT
    body = PaymentEntitled(
        payment, TAHAP, FAMILY, kind, REGION, owed, payee_valid, "2021-2024", counts
    )
    return payments(30, body)


INSTRUCTED = payments(62, PaymentInstructed(PAYMENT, TAHAP, FAMILY, 975_000, "BNI", "SPM-1"))


def credited(hold: str = "NONE") -> Published[Any]:
    return payments(80, PaymentCredited(PAYMENT, TAHAP, FAMILY, 975_000, hold, "BNI-0001"))


def closing_of(tahap: str) -> tuple[Published[Any], ...]:
    """The announcement, list and terms of another tahap."""
    return tuple(replace(each, body=replace(each.body, tahap=tahap)) for each in CLOSING)


# -- Asking ---------------------------------------------------------------------------------------


def why(
    disposition: str | None,
    *published: Published[Any],
    family: Iterable[Published[Any]] = KNOWN_FAMILY,
    of_tahap: Iterable[Published[Any]] = (*CLOSING, *PAPERS),
    tahap: str = TAHAP,
) -> Explanation:
    """The explanation of a family of which this, too, was said."""
    story = Story.of(FAMILY, tahap, disposition, (*family, *published), of_tahap)
    assert story is not None
    return explain(story)


def steps(explanation: Explanation, kind: str) -> list[ExplanationStep]:
    return [step for step in explanation.steps if step.kind == kind]


def step(explanation: Explanation, kind: str) -> ExplanationStep:
    """The one step of a kind."""
    [found] = steps(explanation, kind)
    return found


def said(explanation: Explanation) -> str:
    """Every sentence of an explanation, in both languages."""
    texts = [explanation.text, *(each.text for each in explanation.steps)]
    return "\n".join(line for text in texts for line in (text.en, text.id))
