"""What crosses the border is what the golden messages say, byte for byte of their content."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events.buckets import Buckets
from libs.events.codec import Codec
from libs.events.model import AS_STORED, Message, Outcome, Published, StreamType, encode
from services.registry.contract import (
    FAMILY,
    FAMILY_TOPIC,
    LISTING,
    ROSTER_TOPIC,
    BucketRequested,
    ClosingAnnounced,
    FamilyDesignated,
    FamilyGraduated,
    FamilyListed,
    ListClosed,
    Terminated,
    publish,
    publish_listing,
    tally,
)
from services.registry.domain.family.commands import (
    Command,
    Death,
    MarkTerminated,
    Move,
    PayeeChange,
    Pregnancy,
    SchoolChange,
)
from services.registry.domain.family.state import Family
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    birth,
    day,
    given_past,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

CONTRACTS = Path(__file__).parents[3] / "contracts"
A_WHOLE_LIFE: list[Command] = [
    register(),
    members(MOTHER, TODDLER, person("elder", "1940-01-01")),
    report(birth("baby", "2023-01-13"), "2023-01-13"),
    report(SchoolChange("toddler", "SD"), "2023-01-13"),
    report(Pregnancy("mother", day("2023-09-01"), 2), "2023-01-13"),
    report(Move("61.10.05.2004"), "2023-01-13"),
    report(PayeeChange("mother", "nik", "BRI", "no", "name"), "2023-01-13"),
    report(Death("elder"), "2023-01-14"),
    list_at(FIRST),
    MarkTerminated("2023-1", "effect-1"),
]


def example(topic: str, name: str) -> bytes:
    return (CONTRACTS / topic / f"{name}.v1.example.json").read_bytes()


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        (ROSTER_TOPIC, FamilyListed),
        (ROSTER_TOPIC, ListClosed),
        (FAMILY_TOPIC, FamilyDesignated),
        (FAMILY_TOPIC, FamilyGraduated),
    ],
)
def test_what_is_sent_has_exactly_the_golden_fields(topic: str, message: type[Any]) -> None:
    golden = example(topic, message.__name__)

    sent = encode(msgspec.json.decode(golden, type=message))

    assert msgspec.json.decode(sent) == msgspec.json.decode(golden)


@pytest.mark.parametrize("message", [BucketRequested, ClosingAnnounced])
def test_what_is_read_is_found_in_the_golden_message(message: type[Any]) -> None:
    golden = example("pkh.payments.tahap.v1", message.__name__)

    read = msgspec.json.decode(golden, type=message)

    assert read.tahap == "2023-1"


def test_a_closing_announcement_says_what_the_list_needs() -> None:
    golden = example("pkh.payments.tahap.v1", "ClosingAnnounced")

    announced = msgspec.json.decode(golden, type=ClosingAnnounced)

    assert announced.months == ("2023-01", "2023-02", "2023-03")
    assert announced.closing_date == date(2023, 3, 31)
    assert announced.policies["rule_set"] == "2021-2024"
    assert announced.after["registry"] == 4180


def test_a_termination_says_which_family_leaves_and_after_which_cycle() -> None:
    golden = example("pkh.conditionality.commitment.v1", "Terminated")

    ended = msgspec.json.decode(golden, type=Terminated)

    assert (ended.family, ended.cycle) == (FAMILY_ID, "2023-3")


def test_a_line_goes_out_as_it_is_stored_under_the_familys_id() -> None:
    listed = line(given_past().when(list_at(FIRST)))

    assert publish(listed, Family()) == Message(ROSTER_TOPIC, FAMILY_ID, AS_STORED)


def test_a_judgement_goes_out_without_what_only_the_registry_needs() -> None:
    [designated, _] = given_past().when(list_at(FIRST)).events

    assert publish(designated, Family()) == Message(
        FAMILY_TOPIC,
        FAMILY_ID,
        FamilyDesignated(FAMILY_ID, "2023-1", "ELIGIBLE", "", "61.03.01.2026"),
    )


def test_a_graduation_goes_out() -> None:
    died = report(Death("toddler"), "2023-04-15")
    [graduated, _] = given_past(died, list_at(FIRST)).when(list_at(SECOND)).events

    assert publish(graduated, Family()) == Message(
        FAMILY_TOPIC,
        FAMILY_ID,
        FamilyGraduated(FAMILY_ID, "2023-2", "NATURAL", "61.03.01.2026"),
    )


def test_everything_else_of_a_family_stays_inside() -> None:
    sent = [event for event in past(*A_WHOLE_LIFE) if publish(event, Family()) is not None]

    assert [type(event).__name__ for event in sent] == ["FamilyDesignated", "FamilyListed"]


def test_only_the_closed_list_goes_out_under_the_tahaps_id() -> None:
    closed = ListClosed("2023-1", 1, 4182, 0, 0, {})

    assert publish_listing(closed, LISTING.decider.initial) == Message(ROSTER_TOPIC, "2023-1")


@pytest.mark.parametrize("kind", [FAMILY, LISTING], ids=lambda kind: kind.name)
def test_stored_names_are_those_of_the_classes(kind: StreamType[Any, Any, Any]) -> None:
    assert all(name == stored.__name__ for name, stored in kind.events.items())


def test_every_event_and_the_state_come_back_from_the_store_as_they_were() -> None:
    codec, state = Codec(FAMILY), FAMILY.decider.initial
    for event in past(*A_WHOLE_LIFE):
        assert codec.decode_event(*codec.encode_event(event)) == event
        state = FAMILY.decider.evolve(state, event)
        assert codec.decode_state(codec.encode_state(state), codec.shape) == state


def test_a_tally_counts_lines_and_sums_them_as_they_are_sent() -> None:
    golden = example(ROSTER_TOPIC, "FamilyListed")
    listed = msgspec.json.decode(golden, type=FamilyListed)
    outcome: Outcome[Any, Any] = Outcome(
        stream_id=f"family-{FAMILY_ID}",
        version=3,
        state=Family(),
        events=(listed,),
        published=(
            Published(FAMILY_TOPIC, FAMILY_ID, b"another message"),
            Published(ROSTER_TOPIC, FAMILY_ID, golden),
        ),
    )

    counted = tally([outcome, Outcome("family-none", 1, Family())])

    assert (counted.listed, counted.graduated) == (1, 0)
    assert counted.buckets == Buckets.of([(FAMILY_ID, golden)])
