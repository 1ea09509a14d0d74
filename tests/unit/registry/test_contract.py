"""Messages at the border are what the golden ones say, byte for byte of their content."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events.bus.topics import Topics
from libs.events.domain.list_proof import Buckets
from libs.events.store.codec import Codec
from libs.events.store.model import AS_STORED, Message, Outcome, Published, StreamType, encode
from services.registry.contract import (
    FAMILY,
    FAMILY_TOPIC,
    GROUP_TOPIC,
    LISTING,
    NARROW_TOPIC,
    ROSTER_TOPIC,
    FamilyDesignated,
    FamilyGraduated,
    FamilyListed,
    FamilyMoved,
    FamilyRegistered,
    GraduationPending,
    ListClosed,
    ListingStarted,
    MemberBorn,
    MemberDied,
    MembersRegistered,
    PayeeChanged,
    PregnancyReported,
    SchoolChanged,
    publish,
    publish_listing,
    tally,
)
from services.registry.contract.read import BucketRequested, ClosingAnnounced, Terminated
from services.registry.domain.family import events
from services.registry.domain.family.commands import (
    Command,
    Death,
    MarkDuplicate,
    MarkTerminated,
    Move,
    PayeeChange,
    Pregnancy,
    SchoolChange,
)
from services.registry.domain.family.state import Family
from services.registry.domain.listing.messages import ListingAdvanced
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    birth,
    day,
    given_past,
    life_day,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

CONTRACTS = Path(__file__).parents[3] / "contracts"
TOPICS = Topics.load(CONTRACTS)
FAMILIES = FAMILY_TOPIC, NARROW_TOPIC
A_WHOLE_LIFE: list[Command] = [
    register(),
    members(MOTHER, TODDLER, person("elder", "1940-01-01")),
    report(birth("baby", "2023-01-13"), "2023-01-13"),
    report(SchoolChange("toddler", "SD"), "2023-01-13"),
    report(Pregnancy("mother", life_day("2023-09-01"), 2), "2023-01-13"),
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
        (ROSTER_TOPIC, events.PersonsRegistered),
        (FAMILY_TOPIC, FamilyDesignated),
        (FAMILY_TOPIC, FamilyGraduated),
        (FAMILY_TOPIC, GraduationPending),
        (FAMILY_TOPIC, FamilyRegistered),
        (FAMILY_TOPIC, MembersRegistered),
        (FAMILY_TOPIC, ListingStarted),
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


def published(*commands: Command) -> list[tuple[events.Event, Message | None]]:
    """Every event that the commands lead to, with its message."""
    state, said = Family(), []
    for event in past(*commands):
        state = FAMILY.decider.evolve(state, event)
        said.append((event, publish(event, state)))
    return said


def test_that_somebody_is_a_double_or_was_terminated_stays_inside() -> None:
    life = published(*A_WHOLE_LIFE, MarkDuplicate("mother"))

    silent = [type(event).__name__ for event, message in life if message is None]

    assert set(silent) == {
        *("FamilyTerminated", "DuplicateMarked"),
        *("ChangeProposed", "ChangeApproved"),
    }


def test_facts_go_out_with_their_dates_and_member_numbers() -> None:
    messages = [message for _, message in published(*A_WHOLE_LIFE) if message is not None]
    said = [message.wide or message.data for message in messages if message.topic in FAMILIES]

    reported = day("2023-01-13")
    assert said[0] == FamilyRegistered(FAMILY_ID, "61.03.01.2026", dtks=True)
    assert said[2:8] == [
        MemberBorn(FAMILY_ID, 4, reported, reported, reported),
        SchoolChanged(FAMILY_ID, 2, reported, reported, "SD"),
        PregnancyReported(FAMILY_ID, 1, reported, reported, day("2023-09-01"), 2),
        FamilyMoved(FAMILY_ID, reported, reported, "61.10.05.2004"),
        PayeeChanged(FAMILY_ID, reported, reported, 1),
        MemberDied(FAMILY_ID, 3, day("2023-01-14"), day("2023-01-14")),
    ]


def test_the_members_of_a_card_go_out_with_the_one_who_is_its_payee() -> None:
    [_, _, (_, message), _] = published(*A_WHOLE_LIFE[:2])

    assert message is not None
    assert isinstance(message.wide, MembersRegistered)
    assert message.wide.payee == 1
    assert [each.member for each in message.wide.members] == [1, 2, 3]
    assert message.wide.members[2].birth_date == day("1940-01-01")


def test_what_the_log_keeps_of_a_message_is_what_the_narrow_topic_tells() -> None:
    """The relay narrows what was stored before days were sealed: both ways come to the same."""
    narrowing = TOPICS.narrowings[NARROW_TOPIC]
    kept = [
        (type(event).__name__, message)
        for event, message in published(*A_WHOLE_LIFE)
        if message is not None and message.wide is not None
    ]

    assert {kind for kind, _ in kept} == {"MembersRegistered", "MemberBorn", "PregnancyReported"}
    for kind, message in kept:
        assert message.topic == NARROW_TOPIC
        narrow = narrowing.value(kind, encode(message.wide))
        assert msgspec.json.decode(narrow) == msgspec.json.decode(encode(message.data))
        assert narrowing.value(kind, encode(message.data)) == encode(message.data)


def test_tokens_of_persons_go_out_on_the_roster_alone() -> None:
    life = published(*A_WHOLE_LIFE)

    known = [m for event, m in life if isinstance(event, events.PersonsRegistered)]

    assert len(known) == 2
    assert {message.topic for message in known if message is not None} == {ROSTER_TOPIC}


def test_the_token_of_a_card_goes_out_with_its_group_alone() -> None:
    [assigned] = [
        message
        for event, message in published(*A_WHOLE_LIFE)
        if isinstance(event, events.GroupAssigned)
    ]

    assert assigned is not None
    assert (assigned.topic, assigned.key) == (GROUP_TOPIC, FAMILY_ID)


def test_a_payee_who_is_nobody_of_the_family_has_no_number() -> None:
    changed = report(PayeeChange("stranger", "nik", "BRI", "no", "name"), "2023-01-13")

    *_, (_, message) = published(register(), members(MOTHER), changed)

    assert message is not None
    assert message.data == PayeeChanged(FAMILY_ID, day("2023-01-13"), day("2023-01-13"), None)


def test_nothing_that_says_who_somebody_is_goes_out_with_the_facts() -> None:
    sent = {
        field
        for _, message in published(*A_WHOLE_LIFE)
        if message is not None and message.topic in FAMILIES
        for field in flat(msgspec.to_builtins(message.wide or message.data))
    }

    forbidden = {"nik", "name", "token", "fingerprint", "card", "account_no", "account_name"}
    assert sent.isdisjoint(forbidden | {"occupation", "address", "npsn", "nisn", "bank"})
    assert {"birth_date", "effective_on", "reported_on", "school_level"} <= sent


def flat(value: Any) -> Iterator[str]:
    """The names of all fields of a message, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner)


def test_a_closed_list_goes_to_its_readers_and_its_start_to_everybody() -> None:
    state = LISTING.decider.initial
    closed = ListClosed("2023-1", 1, 4182, 0, 0, {})
    started = ListingStarted("2023-1", 1, ("2023-01",), day("2023-03-31"), {}, 4182)

    assert publish_listing(closed, state) == Message(ROSTER_TOPIC, "2023-1")
    assert publish_listing(started, state) == Message(FAMILY_TOPIC, "2023-1")
    assert publish_listing(ListingAdvanced(1, "3f", 0, 0, {}), state) is None


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
