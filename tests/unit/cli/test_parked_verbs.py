"""Parked messages are listed with their reasons and replayed by name, and never in silence."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.unit.cli.conftest import SERVICES, FakePlatform, answer, job_as_told
from tests.unit.cli.test_verbs import FAMILY, pkh

TOPIC = "pkh.registry.roster.v1"


def waiting(position: int, error: str) -> dict[str, object]:
    message = {"subscription": "conditionality", "topic": TOPIC, "partition": 3, "key": FAMILY}
    return message | {"position": position, "error": error}


@pytest.fixture
def one_parked_family(fake: FakePlatform) -> FakePlatform:
    """A platform where one family waits, at conditionality."""
    for service in SERVICES:
        fake.when("GET", f"{service}/parked", answer({"items": [], "next": None}))
    first, second = waiting(7, "UnknownRuleSet"), waiting(9, "an earlier message is parked")
    pages = {None: {"items": [first], "next": "more"}, "more": {"items": [second], "next": None}}
    fake.when(
        "GET",
        "conditionality/parked",
        lambda request: answer(pages[request.url.params.get("cursor")]),
    )
    return fake


def replayed(fake: FakePlatform, **changes: object) -> None:
    """Have conditionality replay, and be done at the second look."""
    job = job_as_told(id="replay-1", kind="replay", about="everything", unit="messages")
    looks = [answer(job), answer(job | {"state": "DONE"} | changes)]
    fake.when("POST", "conditionality/parked/replay", httpx.Response(202, json=job))
    fake.when("GET", "conditionality/jobs/replay-1", lambda _: looks.pop(0))


def test_what_is_parked_is_listed_with_its_reason(
    data_dir: Path, one_parked_family: FakePlatform
) -> None:
    shown = pkh(data_dir, "parked", "list")

    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines() == [
        f"conditionality {TOPIC} {FAMILY} 7: UnknownRuleSet",
        f"conditionality {TOPIC} {FAMILY} 9: an earlier message is parked",
        "2 messages are parked, of 1 keys.",
    ]


def test_only_a_service_a_topic_or_a_key_is_asked_for(
    data_dir: Path, one_parked_family: FakePlatform
) -> None:
    only = ("--topic", TOPIC, "--key", FAMILY)
    assert pkh(data_dir, "parked", "list", "payments", *only).exit_code == 0

    [request] = one_parked_family.asked
    assert (request.url.host, request.url.params["topic"], request.url.params["key"]) == (
        "payments",
        TOPIC,
        FAMILY,
    )


def test_a_replay_is_waited_for(data_dir: Path, one_parked_family: FakePlatform) -> None:
    replayed(one_parked_family, done=2, total=2, counts={"handled": 2, "refused": 0})

    shown = pkh(data_dir, "parked", "replay", "conditionality", "--key", FAMILY)

    assert (shown.exit_code, "DONE · 2 of 2 messages · handled 2" in shown.output) == (0, True)
    assert json.loads(one_parked_family.asked[0].content) == {"key": FAMILY}
    assert one_parked_family.who(one_parked_family.asked[0])["sub"] == "operator"


def test_a_replay_that_leaves_something_parked_is_told_by_its_exit_code(
    data_dir: Path, one_parked_family: FakePlatform
) -> None:
    replayed(one_parked_family, done=2, total=2, counts={"handled": 0, "refused": 2})
    shown = pkh(data_dir, "parked", "replay", "conditionality")
    assert (shown.exit_code, "refused 2" in shown.output) == (1, True)


@pytest.mark.parametrize("verb", ["list", "replay"])
def test_a_service_that_there_is_not_is_refused(
    data_dir: Path, one_parked_family: FakePlatform, verb: str
) -> None:
    assert pkh(data_dir, "parked", verb, "treasury").exit_code == 2
    assert one_parked_family.asked == []


def test_a_message_is_dropped_by_its_position_with_a_reason(
    data_dir: Path, one_parked_family: FakePlatform
) -> None:
    one_parked_family.when("POST", "conditionality/parked/drop", httpx.Response(204))
    dropping = ("parked", "drop", "conditionality", TOPIC)

    done = pkh(data_dir, *dropping, "7", "--reason", "SENT_BY_MISTAKE")
    unknown = pkh(data_dir, *dropping, "8", "--reason", "SENT_BY_MISTAKE")

    assert (done.exit_code, unknown.exit_code) == (0, 2)
    [request] = [each for each in one_parked_family.asked if each.method == "POST"]
    place = {"topic": TOPIC, "partition": 3, "position": 7}
    assert json.loads(request.content) == place | {"reason": "SENT_BY_MISTAKE"}


def test_a_record_that_is_no_message_is_listed_and_dropped_by_its_offset(
    data_dir: Path, fake: FakePlatform
) -> None:
    odd = waiting(-43, "not a CloudEvent of ours") | {"key": "", "offset": 42}
    fake.when("GET", "payments/parked", answer({"items": [odd], "next": None}))
    fake.when("POST", "payments/parked/drop", httpx.Response(204))

    shown = pkh(data_dir, "parked", "list", "payments")
    at = ("42", "--partition", "3")
    done = pkh(data_dir, "parked", "drop", "payments", TOPIC, *at, "--reason", "NOT_OURS")

    assert f"payments {TOPIC} partition 3 offset 42: not a CloudEvent of ours" in shown.output
    assert done.exit_code == 0, done.output
    body = json.loads(fake.asked[-1].content)
    assert (body["partition"], body["position"]) == (3, -43)


def test_a_record_at_which_a_service_stops_is_named_so(
    data_dir: Path, one_parked_family: FakePlatform
) -> None:
    record = waiting(-8, "Messages are missing.") | {"key": "", "offset": 7, "stops": True}
    one_parked_family.when("GET", "payments/parked", answer({"items": [record], "next": None}))

    shown = pkh(data_dir, "parked", "list", "payments")

    assert shown.output.splitlines()[0] == (
        f"payments {TOPIC} partition 3 offset 7 stops the service: Messages are missing."
    )
