"""Messages between services: schema, golden example and both sides' dataclasses agree."""

import importlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from libs.events.bus.topics import Topics
from libs.events.consumer.subscription import Subscription
from libs.events.store.model import encode
from tests.architecture.tree import ROOT, service_names
from tools.contracts.asyncapi import EXAMPLE
from tools.contracts.generate import (
    CONTRACTS,
    RELEASED,
    SCHEMA,
    broken,
    drift,
    main,
    messages,
    published,
    release,
    released,
    stems,
    write,
)

PUBLISHED = messages()
TOPICS = Topics.load(CONTRACTS)
IDS = [f"{stem.parent.name}/{stem.name}" for stem in PUBLISHED]


@dataclass(frozen=True, slots=True)
class Sample:
    """One service's own copy of a message that another one publishes."""

    service: str
    topic: str
    name: str
    body: type[Any]

    @property
    def stem(self) -> Path:
        return CONTRACTS / self.topic / f"{self.name}.{self.topic.rpartition('.')[2]}"

    def __str__(self) -> str:
        return f"{self.service} reads {self.name}"


def readings() -> Iterator[Sample]:
    """Every message that a service subscribes to, as its consumers declare it."""
    for service in service_names():
        if not (ROOT / "services" / service / "consumers.py").exists():
            continue
        for subscription in subscriptions(service):
            for name, body in subscription.bodies.items():
                yield Sample(service, subscription.topic, name, body)


def subscriptions(service: str) -> list[Subscription]:
    """A service's subscriptions: a constant, or made from what the service is composed of."""
    consumers = importlib.import_module(f"services.{service}.consumers")
    if hasattr(consumers, "SUBSCRIPTIONS"):
        return list(consumers.SUBSCRIPTIONS)
    make = consumers.subscriptions
    return list(make(*(None for _ in range(make.__code__.co_argcount))))


def example(stem: Path) -> bytes:
    return stem.with_name(stem.name + EXAMPLE).read_bytes()


def schema(stem: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stem.with_name(stem.name + SCHEMA).read_text())
    return found


def validator(stem: Path) -> Draft202012Validator:
    return Draft202012Validator(schema(stem))


def test_the_schemas_are_what_the_dataclasses_say() -> None:
    assert drift() == []


@pytest.mark.parametrize("stem", PUBLISHED, ids=IDS)
def test_a_golden_example_is_valid_by_its_schema(stem: Path) -> None:
    Draft202012Validator.check_schema(schema(stem))

    wrong = validator(stem).iter_errors(json.loads(example(stem)))
    assert [error.message for error in wrong] == []


@pytest.mark.parametrize("stem", PUBLISHED, ids=IDS)
def test_a_golden_example_is_what_its_publisher_would_send(stem: Path) -> None:
    message = msgspec.json.decode(example(stem), type=PUBLISHED[stem])

    assert json.loads(encode(message)) == json.loads(example(stem))


@pytest.mark.parametrize("stem", PUBLISHED, ids=IDS)
def test_a_field_that_a_reader_does_not_know_yet_is_no_error(stem: Path) -> None:
    later = json.loads(example(stem)) | {"added_later": {"by": "its publisher"}}

    assert validator(stem).is_valid(later)
    assert msgspec.json.decode(encode(later), type=PUBLISHED[stem])


@pytest.mark.parametrize("stem", PUBLISHED, ids=IDS)
def test_a_field_that_is_missing_is_an_error(stem: Path) -> None:
    whole = json.loads(example(stem))
    required = schema(stem)["required"]

    assert required
    for name in required:
        fewer = {field: value for field, value in whole.items() if field != name}
        assert not validator(stem).is_valid(fewer), name


@pytest.mark.parametrize("reading", list(readings()), ids=str)
def test_a_reader_reads_the_golden_example_of_what_it_subscribes_to(reading: Sample) -> None:
    assert reading.stem in PUBLISHED, "nobody publishes this, or it has no golden example"

    read = msgspec.json.decode(example(reading.stem), type=reading.body)

    assert is_part_of(json.loads(encode(read)), json.loads(example(reading.stem)))


def is_part_of(part: Any, whole: Any) -> bool:
    """The message read says nothing but what was sent: nothing renamed, nothing made up."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and is_part_of(value, whole[name]) for name, value in part.items()
        )
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_part_of, part, whole))
    return bool(part == whole)


def test_every_topic_has_a_golden_example() -> None:
    assert {stem.parent.name for stem in PUBLISHED} == set(TOPICS.partitions)


NARROW = sorted(stem for stem in PUBLISHED if stem.parent.name in TOPICS.narrowings)


@pytest.mark.parametrize("stem", NARROW, ids=lambda stem: stem.name)
def test_a_narrow_topic_tells_what_its_golden_example_says_and_no_more(stem: Path) -> None:
    topic = stem.parent.name
    wide, name = TOPICS.stored_as(topic), stem.name.partition(".")[0]
    stored = example(CONTRACTS / wide / f"{name}.{wide.rpartition('.')[2]}")

    assert json.loads(TOPICS.value(topic, name, stored)) == json.loads(example(stem))


def test_a_narrow_topic_has_every_message_of_its_wide_one_and_its_partitions() -> None:
    for topic, narrowing in TOPICS.narrowings.items():
        own = {stem.name.partition(".")[0] for stem in NARROW if stem.parent.name == topic}
        wide = {s.name.partition(".")[0] for s in PUBLISHED if s.parent.name == narrowing.topic}
        assert own == wide
        assert set(narrowing.fields) <= wide
        assert TOPICS.partitions[topic] == TOPICS.partitions[narrowing.topic]
        assert TOPICS.owners[topic] == TOPICS.owners[narrowing.topic]


# -- Promises --------------------------------------------------------------------------------------


def test_what_was_promised_to_readers_is_kept() -> None:
    assert broken() == []


def test_a_broken_promise_is_told_and_not_overwritten(contracts: Path) -> None:
    promised = released(contracts)
    name = "pkh.registry.roster.v1/ListClosed.v1"
    promised[name]["properties"]["weight"] = {"type": "integer"}
    promised["pkh.registry.roster.v1/ListOpened.v1"] = promised[name]
    (contracts / RELEASED).write_text(json.dumps(promised))

    assert release(contracts) == [
        f"{name}: weight is gone.",
        "pkh.registry.roster.v1/ListOpened.v1 is published no more.",
    ]
    assert released(contracts) == promised


def test_a_release_promises_everything_that_is_published(contracts: Path) -> None:
    (contracts / RELEASED).unlink()

    assert release(contracts) == []
    assert set(released(contracts)) == set(IDS)


# -- The generator ---------------------------------------------------------------------------------


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A copy of the contracts, to be spoilt."""
    return Path(shutil.copytree(CONTRACTS, tmp_path / "contracts"))


def test_a_stale_a_missing_and_a_left_over_schema_are_told(contracts: Path) -> None:
    topic = contracts / "pkh.registry.roster.v1"
    (topic / "ListClosed.v1.schema.json").write_text("{}")
    (topic / "FamilyListed.v1.schema.json").rename(topic / "Forgotten.v1.schema.json")

    assert drift(contracts) == [
        "pkh.registry.roster.v1/FamilyListed.v1.schema.json is missing.",
        "pkh.registry.roster.v1/Forgotten.v1.schema.json describes no message.",
        "pkh.registry.roster.v1/ListClosed.v1.schema.json is not what the code says.",
    ]


def test_writing_mends_what_has_drifted(contracts: Path) -> None:
    for stem in stems(contracts, SCHEMA)[::2]:
        stem.with_name(stem.name + SCHEMA).unlink()
    (contracts / "pkh.registry.roster.v1" / "Forgotten.v1.schema.json").write_text("{}")

    write(contracts)

    assert drift(contracts) == []


def test_a_message_that_its_service_does_not_publish_is_named() -> None:
    with pytest.raises(LookupError, match="registry publishes no FamilyForgotten"):
        published("registry", "FamilyForgotten")


def test_checking_says_nothing_where_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_argument_is_refused() -> None:
    assert main(["--chekc"]) == 2
