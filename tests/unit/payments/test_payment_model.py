"""A payment in any order of commands, beside a model that keeps nothing but where the money is."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libs.events.domain.errors import DomainError
from services.payments.domain.ledger import (
    FAMILY_AVAILABLE,
    FAMILY_BLOCKED,
    STATE_TREASURY,
    Movement,
    bank_clearing,
    of_payment,
)
from services.payments.domain.ledger_checks import (
    balances,
)
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    Command,
    CorrectCut,
    Credit,
    Event,
    FailAccountCheck,
    FailTransfer,
    Hold,
    Instruct,
    KeepForAppeal,
    PaymentCredited,
    PaymentDeferred,
    PaymentInstructed,
    PaymentReleased,
    PaymentReturned,
    PaymentVoided,
    Release,
    Return,
    ReturnReason,
    TakeOut,
    TransferFailed,
    Void,
)
from services.payments.domain.payment.state import Instructed
from tests.tiers import NIGHTLY
from tests.unit.payments.kit import AMOUNT, ORDER, entitle

TAHAPS = st.sampled_from(["2023-1", "2023-2", "2023-3"])
EFFECTS = st.sampled_from(["e1", "e2", "e3"])
REFERENCES = st.sampled_from(["BNI-0001", "BNI-0002"])
CODES = st.sampled_from(["ACCOUNT_CLOSED", "NIK_MISMATCH"])
BANKS = st.sampled_from(["BNI", "BRI"])


class Model:
    """Where the money is, from the rules in words: sent once, answered once, moved on once."""

    def __init__(self) -> None:
        self.entitled = self.stopped = self.sent = False
        self.answer = ""  # CREDITED, FAILED or DEFERRED
        self.wanted = ""  # what was last decided on a hold: "", held, lifted, forfeited
        self.effects: set[str] = set()

    def decide(self, effect: str, wanted: str) -> None:
        if effect in self.effects or self.wanted == "forfeited":
            return
        self.effects.add(effect)
        if self.answer == "CREDITED" and self.wanted != "held":
            return
        if wanted == "held" or self.wanted == "held":
            self.wanted = wanted

    def forfeit(self) -> None:
        if self.wanted == "held":
            self.wanted = "forfeited"

    @property
    def account(self) -> str:
        if not self.sent:
            return ""
        if self.answer == "":
            return "bank"
        if self.answer in ("FAILED", "DEFERRED") or self.wanted == "forfeited":
            return STATE_TREASURY
        return FAMILY_BLOCKED if self.wanted == "held" else FAMILY_AVAILABLE


class PaymentInAnyOrder(RuleBasedStateMachine):
    """Drives the payment and the model with the same commands, every one possibly twice."""

    def __init__(self) -> None:
        super().__init__()
        self.state = payment.initial
        self.events: list[Event] = []
        self.movements: list[Movement] = []
        self.model = Model()
        self.orders = 1

    def tell(self, command: Command) -> bool:
        """The payment took the command; at once again, it must change nothing."""
        try:
            answered = payment.decide(command, self.state)
        except DomainError:
            return False
        self.state = payment.fold(answered, self.state)
        self.events += answered
        for event in answered:
            self.movements += of_payment(event, self.state)
        assert not payment.decide(command, self.state)
        return True

    @property
    def order(self) -> str:
        """The order of the tahap's announcement."""
        return ORDER if self.orders == 1 else f"{ORDER}-R{self.orders}"

    @rule(duplicate=st.sampled_from([False, False, False, True]))
    def entitle(self, duplicate: bool) -> None:
        if self.tell(entitle(duplicate_person=duplicate)) and not self.model.entitled:
            self.model.entitled, self.model.stopped = True, duplicate

    @rule(code=CODES)
    def fail_check(self, code: str) -> None:
        took = self.tell(FailAccountCheck(code))
        if took:
            assert self.model.entitled
            assert not self.model.sent
            self.model.stopped = True

    @rule(bank=BANKS, check=st.sampled_from(["OK", "OK", "OK", ""]))
    def instruct(self, bank: str, check: str) -> None:
        took = self.tell(Instruct(self.order, bank, check))
        if took and not self.model.sent:
            assert self.model.entitled
            assert not self.model.stopped
            assert check == "OK"
            self.model.sent = True

    @rule(ordered=st.booleans())
    def take_out(self, ordered: bool) -> None:
        if not self.tell(TakeOut("ON_HOLD", ordered)):
            return
        assert self.model.answer in ("", "DEFERRED")
        self.model.stopped = True
        if self.model.sent:
            self.model.answer = "DEFERRED"

    @rule()
    def void(self) -> None:
        if not self.tell(Void(self.order)):
            assert self.model.answer in ("CREDITED", "FAILED")
            return
        assert self.model.answer in ("", "DEFERRED")
        self.model.entitled = self.model.stopped = self.model.sent = False
        self.model.answer = ""
        self.orders += 1

    @rule(reference=REFERENCES, amount=st.sampled_from([AMOUNT, AMOUNT, AMOUNT + 1]))
    def credit(self, reference: str, amount: int) -> None:
        took = self.tell(Credit(reference, amount))
        if took:
            assert self.model.answer in ("", "CREDITED")
            self.model.answer = "CREDITED"

    @rule(code=CODES)
    def fail_transfer(self, code: str) -> None:
        if self.tell(FailTransfer(code, AMOUNT)):
            assert self.model.answer in ("", "FAILED")
            self.model.answer = "FAILED"

    @rule(effect=EFFECTS)
    def hold(self, effect: str) -> None:
        assert self.tell(Hold(f"hold-{effect}"))
        self.model.decide(f"hold-{effect}", "held")

    @rule(effect=EFFECTS, at_tahap=TAHAPS, cleared=st.booleans())
    def release(self, effect: str, at_tahap: str, cleared: bool) -> None:
        assert self.tell(Release(f"release-{effect}", at_tahap, cleared))
        self.model.decide(f"release-{effect}", "lifted")

    @rule(at_tahap=TAHAPS, reason=st.sampled_from(ReturnReason))
    def give_back(self, at_tahap: str, reason: ReturnReason) -> None:
        assert self.tell(Return(at_tahap, reason))
        self.model.forfeit()

    @rule(at_tahap=TAHAPS, evaluation=st.integers(2, 4), percent=st.sampled_from([0, 10]))
    def say_what_moves_nothing(self, at_tahap: str, evaluation: int, percent: int) -> None:
        assert self.tell(KeepForAppeal(at_tahap, ("case-1",)))
        assert self.tell(CorrectCut(percent, evaluation))

    # -- What holds after every step

    @invariant()
    def the_money_is_where_the_model_says(self) -> None:
        standing = {account: each for account, each in balances(self.movements).items() if each}
        standing.pop("programme_account", None)
        expected = self.model.account
        if expected == "bank":
            assert isinstance(self.state, Instructed)
            expected = bank_clearing(self.state.instruction.bank)
        assert standing == ({expected: AMOUNT} if expected else {})

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        for once in (PaymentCredited, PaymentReleased, PaymentReturned):
            assert sum(isinstance(event, once) for event in self.events) <= 1
        ordered = [event.order for event in self.events if isinstance(event, PaymentInstructed)]
        assert len(set(ordered)) == len(ordered)
        assert len({each.id for each in self.movements}) == len(self.movements)

    @invariant()
    def instructed_is_credited_failed_deferred_taken_back_and_unknown(self) -> None:
        instructed, credited, failed = (
            sum(event.amount for event in self.events if isinstance(event, kind))
            for kind in (PaymentInstructed, PaymentCredited, TransferFailed)
        )
        unknown = AMOUNT if self.model.account == "bank" else 0
        deferred = sum(
            event.returned for event in self.events if isinstance(event, PaymentDeferred)
        )
        voided = [event for event in self.events if isinstance(event, PaymentVoided)]
        back = sum(event.instructed - event.deferred for event in voided)
        assert instructed == credited + failed + deferred + back + unknown

    @invariant()
    def released_or_returned_but_never_both(self) -> None:
        kinds = {type(event) for event in self.events}
        assert not {PaymentReleased, PaymentReturned} <= kinds

    @invariant()
    def the_state_is_the_fold_of_its_events(self) -> None:
        assert payment.fold(self.events) == self.state


PaymentInAnyOrder.TestCase.settings = settings(
    max_examples=3_000 if NIGHTLY else 100, stateful_step_count=30, deadline=None
)
TestPaymentInAnyOrder = PaymentInAnyOrder.TestCase
