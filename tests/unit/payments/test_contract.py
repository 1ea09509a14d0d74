import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from libs.events.store.codec import codec_of
from libs.events.store.model import AS_STORED, Message, encode
from services.payments import contract
from services.payments.contract import (
    ADMINISTRATIVE_HOLD,
    PAYMENT,
    PAYMENT_TOPIC,
    RUN,
    TAHAP,
    TAHAP_TOPIC,
    commitment,
)
from services.payments.contract.commitment import asked_of_payments
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    EffectTooLate,
    FailAccountCheck,
    Hold,
    HoldForfeited,
    HoldLifted,
    HoldPlaced,
    HoldStatus,
    Release,
    Return,
    ReturnReason,
    TakeOut,
    Void,
)
from services.payments.domain.payment.state import (
    AccountFailed,
    Credited,
    Deferred,
    Entitled,
    Failed,
    Instructed,
    PaymentState,
    Unentitled,
    Withheld,
)
from services.payments.domain.run.messages import ListEntitled, RunOpened, TransfersRecorded
from services.payments.domain.run.state import RunState
from services.payments.domain.tahap.messages import FreezeProposed, ListReady, RunSettled
from services.payments.domain.tahap.state import TahapState
from tests.unit.payments import kit
from tests.unit.payments.kit import BLOCKED, FAMILY, GRADUATE, HASH, of, past
from tests.unit.payments.kit import TAHAP as TAHAP_ID

CONTRACTS = Path(__file__).parents[3] / "contracts"
SENT_AS_STORED = {
    PAYMENT_TOPIC: {**PAYMENT.events, **ADMINISTRATIVE_HOLD.events},
    TAHAP_TOPIC: {**TAHAP.events, **RUN.events},
}
INTERNAL = {
    "AdministrativeHoldProposed",
    "AdministrativeHoldEndProposed",
    "HoldPlaced",
    "HoldCleared",
    "HoldLifted",
    "HoldForfeited",
    "CutCorrected",
    "ListReady",
    "FreezeProposed",
    "FamiliesDeferred",
    "RunSettled",
    "CloseProposed",
    "AnnouncementProposed",
    "ProposalWithdrawn",
    "CancellationProposed",
    "ReannouncementApproved",
    "CancellationCompleted",
    "RunOpened",
    "RunCancelled",
    "ListEntitled",
    "TransfersRecorded",
    "UnansweredProposed",
    "PartnerIncidentFound",
    "PartnerIncidentJudged",
}
READ = {
    "pkh.registry.roster.v1": (contract.FamilyListed, contract.ListClosed),
    "pkh.conditionality.commitment.v1": (
        commitment.CycleEvaluated,
        commitment.EvaluationClosed,
        commitment.CycleWithdrawn,
        commitment.Suspended,
        commitment.Released,
        commitment.Cleared,
        commitment.Terminated,
    ),
}


def golden(topic: str, name: str) -> bytes:
    return (CONTRACTS / topic / f"{name}.v1.example.json").read_bytes()


def shown(topic: str) -> set[str]:
    """The messages of a topic that have a golden example."""
    return {file.name.partition(".")[0] for file in (CONTRACTS / topic).glob("*.example.json")}


# -- Sent


@pytest.mark.parametrize("topic", [PAYMENT_TOPIC, TAHAP_TOPIC])
def test_every_published_event_has_a_golden_example_and_no_other_has(topic: str) -> None:
    assert shown(topic) == set(SENT_AS_STORED[topic]) - INTERNAL


@pytest.mark.parametrize(
    ("topic", "name"),
    [(topic, name) for topic in SENT_AS_STORED for name in sorted(shown(topic))],
)
def test_a_message_is_field_for_field_its_golden_example(topic: str, name: str) -> None:
    written = golden(topic, name)
    sent_as = contract.EffectTooLate if name == "EffectTooLate" else SENT_AS_STORED[topic][name]

    message = msgspec.json.decode(written, type=sent_as)

    assert json.loads(encode(message)) == json.loads(written)


def test_a_payments_message_goes_out_under_its_family() -> None:
    credited = next(event for event in BLOCKED if type(event).__name__ == "PaymentCredited")

    assert PAYMENT.publish(credited, payment.initial) == Message(PAYMENT_TOPIC, FAMILY, AS_STORED)


@pytest.mark.parametrize(
    "event",
    [
        HoldPlaced("e"),
        HoldLifted("e", TAHAP_ID),
        HoldForfeited(TAHAP_ID, ReturnReason.TERMINATED),
    ],
)
def test_a_hold_that_moves_nothing_stays_inside(
    event: HoldPlaced | HoldLifted | HoldForfeited,
) -> None:
    assert PAYMENT.publish(event, payment.fold(BLOCKED)) is None


def test_an_effect_that_came_too_late_is_told_with_how_the_money_stays() -> None:
    credited_and_noted = payment.fold(past(kit.ENTITLE, kit.INSTRUCT, kit.CREDIT, Hold("effect")))

    message = PAYMENT.publish(EffectTooLate("effect", HoldStatus.HELD), credited_and_noted)

    assert message == Message(
        PAYMENT_TOPIC,
        FAMILY,
        contract.EffectTooLate(
            kit.PAYMENT, TAHAP_ID, FAMILY, "effect", HoldStatus.HELD, HoldStatus.NONE
        ),
    )


def test_an_effect_on_a_payment_that_nobody_was_told_of_stays_inside() -> None:
    late = EffectTooLate("effect", HoldStatus.HELD)

    assert PAYMENT.publish(late, payment.fold(past(kit.HOLD, GRADUATE))) is None


@pytest.mark.parametrize(
    "event",
    [
        ListReady(TAHAP_ID, "REGULAR", HASH, 1, 1, ()),
        FreezeProposed(TAHAP_ID, "REGULAR", HASH, "maker", ()),
        RunSettled(TAHAP_ID, "REGULAR"),
    ],
)
def test_steps_of_a_tahap_that_only_payments_waits_for_stay_inside(
    event: ListReady | FreezeProposed | RunSettled,
) -> None:
    assert TAHAP.publish(event, TahapState()) is None


@pytest.mark.parametrize(
    "event",
    [
        RunOpened(TAHAP_ID, "REGULAR", HASH, 1, 1),
        ListEntitled(TAHAP_ID, "REGULAR", of(1, 1), of(1, 1)),
        TransfersRecorded(TAHAP_ID, "REGULAR", of(1, 1), of(0, 0)),
    ],
)
def test_steps_of_a_run_that_only_payments_waits_for_stay_inside(
    event: RunOpened | ListEntitled | TransfersRecorded,
) -> None:
    assert RUN.publish(event, RunState()) is None


def test_documents_go_out_under_their_tahap() -> None:
    assert TAHAP.publish(kit.frozen(), TahapState()) == Message(TAHAP_TOPIC, TAHAP_ID)
    funds = msgspec.json.decode(
        golden(TAHAP_TOPIC, "FundsReleased"), type=RUN.events["FundsReleased"]
    )
    assert RUN.publish(funds, RunState()) == Message(TAHAP_TOPIC, TAHAP_ID)


# -- Stored


@pytest.mark.parametrize("kind", [PAYMENT, TAHAP, RUN], ids=lambda kind: kind.name)
def test_stored_names_are_the_names_of_the_classes(kind: Any) -> None:
    assert all(name == event.__name__ for name, event in kind.events.items())


HISTORIES = {
    Unentitled: (kit.HOLD, kit.CLEAR, kit.ENTITLE, Void()),
    Entitled: (kit.HOLD, GRADUATE, kit.ENTITLE),
    Deferred: (kit.ENTITLE, kit.INSTRUCT, TakeOut("ON_HOLD", ordered=True)),
    Withheld: (kit.entitle(duplicate_person=True),),
    AccountFailed: (kit.ENTITLE, FailAccountCheck("ACCOUNT_CLOSED")),
    Instructed: (kit.HOLD, kit.ENTITLE, kit.INSTRUCT),
    Credited: (kit.ENTITLE, kit.INSTRUCT, kit.CREDIT),
    Failed: (kit.ENTITLE, kit.INSTRUCT, kit.FAIL),
}


def test_a_payments_state_survives_its_snapshot_in_every_step() -> None:
    codec = codec_of(PAYMENT)
    states = [payment.fold(past(*commands)) for commands in HISTORIES.values()]

    assert [type(state) for state in states] == list(get_args(PaymentState))
    for state in states:
        assert codec.decode_state(codec.encode_state(state), codec.shape) == state
        assert codec.decode_state(codec.encode_state(state), 2) is None, "folded anew"


def test_an_event_that_no_step_leads_to_is_not_passed_over() -> None:
    [*_, credited] = past(kit.ENTITLE, kit.INSTRUCT, kit.CREDIT)

    with pytest.raises(ValueError, match="PaymentCredited of a payment that is ENTITLED"):
        payment.fold([*past(kit.ENTITLE), credited])


def test_every_event_of_a_payment_comes_back_as_it_was_stored() -> None:
    codec = codec_of(PAYMENT)
    written = (*BLOCKED, *past(kit.HOLD, kit.CLEAR, GRADUATE), EffectTooLate("e", HoldStatus.HELD))

    assert tuple(codec.decode_event(*codec.encode_event(event)) for event in written) == written


# -- Read


@pytest.mark.parametrize(
    ("topic", "read"), [(topic, each) for topic, classes in READ.items() for each in classes]
)
def test_what_is_read_stands_in_the_senders_golden_example(topic: str, read: type[Any]) -> None:
    written = golden(topic, read.__name__)

    message = json.loads(encode(msgspec.json.decode(written, type=read)))

    assert is_part_of(message, json.loads(written))


def is_part_of(part: Any, whole: Any) -> bool:
    """`part` says nothing that `whole` does not say."""
    match part, whole:
        case dict(), dict():
            return all(key in whole and is_part_of(part[key], whole[key]) for key in part)
        case list(), list():
            return len(part) == len(whole) and all(map(is_part_of, part, whole))
        case _:
            return bool(part == whole)


def test_a_suspension_holds_the_money_of_its_tahap() -> None:
    assert asked_of_payments(commitment.Suspended(FAMILY, TAHAP_ID, "e")) == [(TAHAP_ID, Hold("e"))]


def test_a_release_names_the_cycle_and_whether_an_investigation_decided() -> None:
    held = ("2023-1", "2023-2")

    assert asked_of_payments(commitment.Released(FAMILY, held, "2023-3", "e")) == [
        ("2023-1", Release("e", "2023-3")),
        ("2023-2", Release("e", "2023-3")),
    ]
    assert asked_of_payments(commitment.Cleared(FAMILY, held[:1], "2023-3", "e")) == [
        ("2023-1", Release("e", "2023-3", cleared=True))
    ]


def test_a_termination_gives_the_held_money_of_each_tahap_back() -> None:
    ended = commitment.Terminated(FAMILY, ("2023-1", "2023-3"), "2023-3", "e")

    assert asked_of_payments(ended) == [
        ("2023-1", Return("2023-3", ReturnReason.TERMINATED)),
        ("2023-3", Return("2023-3", ReturnReason.TERMINATED)),
    ]
