"""A narrow topic tells what it is said to, and the fields of which nothing is said as they are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from libs.events.bus.narrowing import NarrowedField, Narrowing
from libs.events.bus.topics import Topics

WIDE, NARROW = "test.family.v1", "test.family.v2"
DECLARED = f"""
namespace: org.example
topics:
  {WIDE}:
    {{key: family, partitions: 3, owner: writer, data_class: re-identifying, ends: 2027-06-30}}
  {NARROW}:
    key: family
    partitions: 3
    owner: writer
    data_class: pseudonymous
    narrows:
      topic: {WIDE}
      fields:
        Registered:
          - {{field: members.birth_date, name: born, shown: ten years}}
          - {{field: members.due, name: pregnant, shown: whether}}
        Born: [{{field: birth_date, name: born, shown: ten years}}, {{field: effective_on}}]
"""


@pytest.fixture
def topics(tmp_path: Path) -> Topics:
    (tmp_path / "topics.yaml").write_text(DECLARED)
    return Topics.load(tmp_path)


def narrowed(topics: Topics, kind: str, body: object, topic: str = NARROW) -> object:
    found: object = json.loads(topics.value(topic, kind, json.dumps(body).encode()))
    return found


def test_a_day_becomes_the_ten_years_around_it_and_what_may_be_shown_is_only_whether(
    topics: Topics,
) -> None:
    body = {"members": [{"n": 1, "birth_date": "2012-08-17", "due": None}]}
    body["members"] += [{"n": 2, "birth_date": "1989-12-31", "due": "2023-05-20"}]

    assert narrowed(topics, "Registered", body) == {
        "members": [
            {"n": 1, "born": "2010-2019", "pregnant": False},
            {"n": 2, "born": "1980-1989", "pregnant": True},
        ]
    }


def test_a_field_without_a_name_is_left_out(topics: Topics) -> None:
    born = {"member": 5, "birth_date": "2023-05-18", "effective_on": "2023-05-18"}

    assert narrowed(topics, "Born", born) == {"member": 5, "born": "2020-2029"}


def test_the_wide_topic_and_a_type_that_is_not_named_go_out_byte_for_byte(topics: Topics) -> None:
    value = b'{ "birth_date": "2012-08-17" }'

    assert topics.value(WIDE, "Born", value) is value
    assert topics.value(NARROW, "Died", value) is value


def test_a_message_from_before_there_was_a_field_is_told_without(topics: Topics) -> None:
    assert narrowed(topics, "Registered", {"members": [{"n": 1}]}) == {"members": [{"n": 1}]}
    assert narrowed(topics, "Registered", {"family": "a"}) == {"family": "a"}


def test_a_message_goes_out_on_both_topics_until_the_wide_one_s_last_day(topics: Topics) -> None:
    last = date(2027, 6, 30)

    assert topics.sent_on(WIDE, last) == [WIDE, NARROW]
    assert topics.sent_on(WIDE, date(2027, 7, 1)) == [NARROW]
    assert topics.open(topics.partitions, date(2027, 7, 1)) == {NARROW: 3}


def test_what_may_be_shown_is_one_of_a_few_words() -> None:
    with pytest.raises(msgspec.ValidationError, match="shown"):
        msgspec.convert(
            {"topic": WIDE, "fields": {"Born": [{"field": "a", "name": "b", "shown": "the day"}]}},
            Narrowing,
        )


@pytest.mark.parametrize("half", [{"name": "born"}, {"shown": "ten years"}])
def test_a_name_and_what_is_shown_under_it_come_together(half: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match="a has a name or what is shown"):
        msgspec.convert({"field": "a", **half}, NarrowedField)
