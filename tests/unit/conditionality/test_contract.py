import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events.store.codec import codec_of
from libs.events.store.model import AS_STORED, Message, StreamType, encode
from services.conditionality import contract
from services.conditionality.domain.commitment import Cause, Event, commitment
from services.conditionality.domain.evaluation.decider import evaluation
from services.conditionality.domain.evaluation.messages import (
    EvaluationAnnounced,
    EvaluationClosed,
    EvaluationFrozen,
    EvaluationListed,
)
from services.conditionality.domain.person import (
    Person,
    SchoolMonth,
    SchoolMonthsRecorded,
    Visit,
    VisitsRecorded,
    person,
)
from tests.unit.conditionality.kit import (
    FAMILY,
    MONTHS,
    cycle,
    decided,
    found,
    history,
    rejected,
)

CONTRACTS = Path(__file__).parents[3] / "contracts"
READ: dict[str, tuple[str, type[Any]]] = {
    "ClosingAnnounced": ("pkh.payments.tahap.v1", contract.ClosingAnnounced),
    "ListFrozen": ("pkh.payments.tahap.v1", contract.ListFrozen),
    "FamilyListed": ("pkh.registry.roster.v1", contract.FamilyListed),
    "ListClosed": ("pkh.registry.roster.v1", contract.ListClosed),
    "AttendanceRecorded": ("pkh.p2k2.session.v1", contract.AttendanceRecorded),
    "SessionCorrected": ("pkh.p2k2.session.v1", contract.SessionCorrected),
    "SessionCancelled": ("pkh.p2k2.session.v1", contract.SessionCancelled),
}
SCHOOL = SchoolMonthsRecorded((SchoolMonth("2023-01", 22, 1, 0, 2),))
VISITS = VisitsRecorded((Visit("2023-01", "WEIGHING", attended=True),))


def golden(topic: str, name: str) -> bytes:
    return (CONTRACTS / topic / f"{name}.v1.example.json").read_bytes()


# -- Published ------------------------------------------------------------------------------------


def test_everything_that_is_published_has_a_golden_example() -> None:
    examples = {
        file.name.removesuffix(".v1.example.json")
        for file in (CONTRACTS / contract.TOPIC).glob("*.v1.example.json")
    }

    assert examples == set(contract.PUBLISHED)


@pytest.mark.parametrize("name", contract.PUBLISHED)
def test_a_published_message_is_its_golden_example_field_for_field(name: str) -> None:
    example = golden(contract.TOPIC, name)

    event = msgspec.json.decode(example, type=contract.PUBLISHED[name])

    assert encode(event) == json.dumps(json.loads(example), separators=(",", ":")).encode()


def test_a_familys_events_go_out_as_stored_under_its_id() -> None:
    for event in history("fails", "fails", "fails"):
        published = contract.COMMITMENT.publish(event, commitment.initial)

        assert published == Message(contract.TOPIC, FAMILY, AS_STORED)


def test_a_finding_goes_out_as_what_was_decided_on_it() -> None:
    failed = history("fails", "fails", "fails")
    brought, refused = decided(found("CONFIRMED"), rejected(), after=failed)

    assert contract.COMMITMENT.publish(brought, commitment.initial) is None
    assert contract.COMMITMENT.publish(refused, commitment.initial) is None


def test_a_persons_facts_stay_inside() -> None:
    assert contract.publish_person(SCHOOL, Person()) is None
    assert contract.publish_person(VISITS, Person()) is None


def test_of_an_evaluation_only_its_close_goes_out_under_the_tahap() -> None:
    closed = EvaluationClosed("2023-1", 1, evaluated=0, parked=(), buckets={})
    listed = EvaluationListed("2023-1", roster_revision=1, listed=0)

    assert contract.publish_evaluation(closed, evaluation.initial) == Message(
        contract.TOPIC, "2023-1", AS_STORED
    )
    assert contract.publish_evaluation(listed, evaluation.initial) is None


# -- Read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READ)
def test_a_message_that_is_read_is_found_in_its_golden_example(name: str) -> None:
    topic, shape = READ[name]
    example = golden(topic, name)

    read = msgspec.json.decode(encode(msgspec.json.decode(example, type=shape)))

    assert _within(read, json.loads(example))


def _within(part: Any, whole: Any) -> bool:
    """A `part` says nothing that `whole` does not say, item by item of a list."""
    if isinstance(part, dict):
        return all(_within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole)


# -- Stored ---------------------------------------------------------------------------------------


def _stored_and_read_back(kind: StreamType[Any, Any, Any], events: tuple[Any, ...]) -> None:
    codec = codec_of(kind)
    for event in events:
        assert codec.decode_event(*codec.encode_event(event)) == event
    state = kind.decider.fold(events)
    assert codec.decode_state(codec.encode_state(state), codec.shape) == state


def test_a_persons_events_and_state_survive_storage() -> None:
    _stored_and_read_back(contract.PERSON, (SCHOOL, VISITS))
    assert person is contract.PERSON.decider


def test_a_commitments_events_and_state_survive_storage(terminated: tuple[Event, ...]) -> None:
    proposed = decided(
        cycle("2023-3", "complies", cause=Cause(6120, ("school-feed",))),
        after=terminated,
    )

    refused = decided(found("CONFIRMED"), rejected(), after=history("fails", "fails", "fails"))

    _stored_and_read_back(contract.COMMITMENT, (*terminated, *proposed))
    _stored_and_read_back(contract.COMMITMENT, (*history("fails", "fails", "fails"), *refused))


def test_an_evaluations_events_and_state_survive_storage() -> None:
    announced = msgspec.json.decode(
        golden("pkh.payments.tahap.v1", "ClosingAnnounced"), type=contract.ClosingAnnounced
    )

    _stored_and_read_back(
        contract.EVALUATION,
        (
            EvaluationAnnounced("2023-1", MONTHS, announced.closing_date, "2021-2024"),
            EvaluationListed("2023-1", roster_revision=1, listed=2),
            EvaluationClosed("2023-1", 1, 1, (FAMILY,), {"3f": (1, "1d2c3b4a59687786")}),
            EvaluationFrozen("2023-1", (FAMILY,)),
        ),
    )
