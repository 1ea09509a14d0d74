"""Entries made without a network and sent later: each done once, or refused with its reason."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from console.field.keys import ALGORITHMS
from tests.integration.console.field import PLANNED, ServedField, meeting, served_field
from tests.integration.console.kit import ELSEWHERE, REGENCY
from tests.integration.p2k2.kit import ANA, BUDI, CITRA, NUMBER
from tests.servers import Postgres

COLLEAGUE = "sanggau-2"
"""Of the same regency, at the same device."""
FACILITATOR = "PD610301"
"""Of the first of the two groups."""
COMPLAINT = {
    "category": "AMOUNT_WRONG",
    "channel": "FACE_TO_FACE",
    "region": "61.03.01.2026",
    "received_on": "2023-03-30",
    "name": "Siti Aminah",
    "text": "Less money came.",
}


@pytest.fixture(scope="module")
def field(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedField]:
    with served_field(postgres, tmp_path_factory.mktemp("field")) as served:
        yield served


class Device:
    """A browser's part, by hand: seals what a person enters, and sends it."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.session: dict[str, Any] = client.get("/console/field/session").json()

    def entered(self, what: object, key: str | None = None, **changes: str) -> str:
        """An entry as it waits."""
        entry = {"by": self.session["pledge"], "key": key or str(uuid.uuid4()), "what": what}
        public = self.session["sealing_key"]
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": public["kid"]}
        plain = msgspec.json.encode(entry | changes)
        return jwe.encrypt_compact(header, plain, ECKey.import_key(public), list(ALGORITHMS))

    def sent(self, entry: str) -> dict[str, Any]:
        """The outcome of an entry."""
        form = {"csrf": self.session["csrf"], "entry": entry}
        answer = self.client.post("/console/field/entries", data=form)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def device(field: ServedField) -> Iterator[Device]:
    with field.console.signed_in(REGENCY) as client:
        yield Device(client)


def attendance(number: str = NUMBER, **marks: str) -> dict[str, Any]:
    """Marks of families by their names here."""
    families = {"ana": ANA, "budi": BUDI, "citra": CITRA}
    said = [{"family": families[name], "status": status} for name, status in marks.items()]
    return {"type": "attendance", "session": number, "marks": said}


# -- Happens --------------------------------------------------------------------------------------


def test_attendance_is_recorded_once_however_often_it_is_sent(
    device: Device, field: ServedField
) -> None:
    entry = device.entered(attendance(ana="H", budi="A"))

    assert device.sent(entry) == {"outcome": "ACCEPTED"}
    later = field.said(
        f"/sessions/{NUMBER}/attendance", {"marks": [{"family": BUDI, "status": "I"}]}
    )
    assert later.status_code == 204
    assert device.sent(entry) == {"outcome": "ACCEPTED"}

    assert field.marks() == {ANA: "H", BUDI: "I"}


def test_a_planned_session_is_said_to_be_held_with_who_was_there(
    device: Device, field: ServedField
) -> None:
    plan = meeting(on="2023-02-02", session=2, venue="Balai desa")
    entry = device.entered({**attendance(PLANNED, ana="H"), "meeting": plan})

    assert [device.sent(entry) for _ in range(2)] == [{"outcome": "ACCEPTED"}] * 2

    assert field.asked(field.p2k2, f"/sessions/{PLANNED}")["standing"] == "HELD"
    assert field.marks(PLANNED) == {ANA: "H"}


def test_a_complaint_is_one_case_whose_receipt_comes_back(
    device: Device, field: ServedField
) -> None:
    before = len(field.cases())
    entry = device.entered({"type": "complaint", "case": COMPLAINT})

    first, again = device.sent(entry), device.sent(entry)

    assert first["outcome"] == "ACCEPTED"
    assert first == again
    assert first["receipt"]
    assert first["pin"]
    assert len(field.cases()) == before + 1


# -- Refused --------------------------------------------------------------------------------------


def test_what_a_service_refuses_comes_back_with_its_reason_and_what_was_entered(
    device: Device, field: ServedField
) -> None:
    before = field.marks()
    what = attendance(ana="A", citra="H")

    answer = device.sent(device.entered(what))

    assert (answer["outcome"], answer["problem"]["code"]) == ("REFUSED", "family-of-another-group")
    assert answer["what"]["marks"] == what["marks"]
    assert field.marks() == before


def test_a_field_that_a_service_does_not_take_is_named(device: Device) -> None:
    case = {**COMPLAINT, "channel": "face to face"}

    answer = device.sent(device.entered({"type": "complaint", "case": case}))

    assert answer["problem"]["code"] == "invalid-request"
    assert [each["loc"] for each in answer["problem"]["errors"]] == [["body", "channel"]]


def test_an_entry_of_somebody_else_is_neither_done_nor_told(
    device: Device, field: ServedField
) -> None:
    before, entry = field.marks(), device.entered(attendance(ana="A"))

    with field.console.signed_in(COLLEAGUE) as client:
        answer = Device(client).sent(entry)

    assert answer == {"outcome": "REFUSED", "problem": {"status": 422, "code": "entry-of-another"}}
    assert field.marks() == before


def test_nobody_enters_anything_in_the_name_of_another(device: Device, field: ServedField) -> None:
    before = field.marks()
    with field.console.signed_in(COLLEAGUE) as client:
        forged = Device(client).entered(attendance(ana="A"))

    assert device.sent(forged)["problem"]["code"] == "entry-of-another"
    assert field.marks() == before


@pytest.mark.parametrize(
    "broken",
    [
        lambda entry: entry[:-4],
        lambda entry: "x" + entry,
        lambda entry: ".".join(["e30", *entry.split(".")[1:]]),
        lambda entry: "",
        lambda entry: "a" * 500_000,
    ],
    ids=["cut", "another header", "no header", "nothing", "too long"],
)
def test_what_cannot_be_opened_is_refused_and_stops_nothing_else(
    device: Device, broken: Any
) -> None:
    entry = device.entered(attendance(ana="H"))

    assert device.sent(broken(entry))["problem"]["code"] == "entry-broken"
    assert device.sent(entry) == {"outcome": "ACCEPTED"}


@pytest.mark.parametrize(
    "what",
    [
        {"type": "payment", "case": {}},
        {"type": "attendance", "session": "../groups", "marks": [{}]},
        {"type": "attendance", "session": "", "marks": [{}]},
        {"type": "attendance", "session": NUMBER, "marks": []},
        {"type": "complaint", "case": {}, "more": 1},
        [],
    ],
    ids=str,
)
def test_nothing_else_than_what_is_entered_in_the_field_can_be_sent(
    device: Device, what: object
) -> None:
    assert device.sent(device.entered(what))["problem"]["code"] == "entry-broken"


def test_who_is_not_of_the_region_learns_nothing(field: ServedField) -> None:
    with field.console.signed_in(ELSEWHERE) as client:
        refused = client.get("/console/field/session")

    assert refused.status_code == 403  # a province records no attendance


def test_without_the_word_of_the_session_nothing_is_taken(device: Device) -> None:
    entry = device.entered(attendance(ana="H"))

    answer = device.client.post("/console/field/entries", data={"csrf": "x", "entry": entry})

    assert answer.status_code == 403


# -- The session's keys ---------------------------------------------------------------------------


def test_the_key_of_what_is_read_is_of_one_session(device: Device, field: ServedField) -> None:
    again = device.client.get("/console/field/session").json()
    with field.console.signed_in(REGENCY) as client:
        other = Device(client).session

    assert again["reading_key"] == device.session["reading_key"] != other["reading_key"]
    assert other["pledge"] == device.session["pledge"]


def test_without_the_word_that_ends_with_the_browser_there_is_no_key(device: Device) -> None:
    del device.client.cookies["pkh-open"]

    assert device.client.get("/console/field/session").status_code == 401


def test_a_facilitator_takes_groups_and_sessions_along(device: Device) -> None:
    found = device.client.get("/console/field/work").json()

    groups = {group["group"]: group for group in found["groups"]}
    assert sorted(groups["G6103012026-1"]["families"]) == sorted([ANA, BUDI])
    assert {session["number"] for session in found["sessions"]} >= {NUMBER, PLANNED}


def test_a_facilitator_takes_their_own_groups_alone_and_sends_what_is_theirs(
    field: ServedField,
) -> None:
    with field.console.signed_in(FACILITATOR) as client:
        own = Device(client)
        groups = client.get("/console/field/work").json()["groups"]
        sent = own.sent(own.entered(attendance(budi="H")))
        complained = own.sent(own.entered({"type": "complaint", "case": COMPLAINT}))
        overview = client.get("/console/")

    assert [group["group"] for group in groups] == ["G6103012026-1"]
    assert (sent["outcome"], complained["outcome"]) == ("ACCEPTED", "ACCEPTED")
    assert overview.status_code == 403


def test_what_a_browser_keeps_in_clear_names_nobody(device: Device) -> None:
    signed_in = device.client.get("/console/field").text

    device.client.cookies.clear()
    assert device.client.get("/console/field").text == signed_in
    assert REGENCY not in signed_in
