"""Values that another system could not hold, in every place of every operation: 4xx, never 500."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, Final, TypeVar

import pytest
from urllib3 import BaseHTTPResponse

from tests.integration.http.served import Served, operations, served_by
from tests.servers import Postgres
from tests.tiers import NIGHTLY

T = TypeVar("T")

JSON: Final = "application/json"
OPERATIONS: Final = list(operations())

NO_TEXT: Final = ("%00", "a%00b", "%ED%A0%80", "%ff", "%C0%80", "%0a", "%1b", "%C2%85")
"""A NUL, half of a character, what is not UTF-8, control characters: nowhere."""
NO_NUMBERS: Final = (
    *("%D9%A3", "%EF%BC%93", "1.0", "1_0", "%2B1", "%201", "1%20", "0x1", "1e3", "01", "-0"),
    *("2147483648.0", "9223372036854775808", "-9223372036854775809", "9" * 40),
)
NO_DAYS: Final = (*("20230331", "2023-W13-5", "2023-03-31T00:00", "0", "9999-12-31", "0001-01-01"),)
NO_IDS: Final = ("%7B3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11%7D", "3f0c1c528a554a3e9d0e6f4f0c9b7a11")
NO_FORM: Final = (*NO_NUMBERS, "NaN", "yes", *NO_DAYS, *NO_IDS)
"""Ways to write a number, a day, an id or a flag that are not its one form; a text may be so."""
BY_DAY: Final[Mapping[str, tuple[str, ...]]] = {
    "integer": NO_NUMBERS,
    "boolean": ("yes", "0", "1.0", "01"),
    "uuid": (*NO_IDS, "0", "9" * 40),
    "date": (*NO_DAYS, "1e3", "9" * 40),
    "date-time": (*NO_DAYS, "1e3", "9" * 40),
    "string": ("%D9%A3", "9223372036854775808", "9" * 40, "NaN", "0001-01-01"),
}
"""By the kind of a parameter, what of NO_FORM a lax parser of that kind would take, or what works
with it would fall over; the rest is for the night."""
FITS: Final[Mapping[str, tuple[str, ...]]] = {"integer": ("0", "20230331")}
"""The part of NO_FORM that is a value of a type after all."""


@pytest.fixture(scope="module")
def servers(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Served]]:
    """Each service at an address, with a little in its store; made when it is first asked."""
    with ExitStack() as stack:

        @cache
        def server(name: str) -> Served:
            return stack.enter_context(served_by(postgres, tmp_path_factory.mktemp(name), name))

        yield server


@pytest.fixture
def served(request: pytest.FixtureRequest, servers: Callable[[str], Served]) -> Served:
    """The service that a test names."""
    return servers(request.param)


def in_turn(values: Sequence[T], turn: int) -> Sequence[T]:
    """By day one of the values that one and the same guard refuses for all operations, so that
    each is met by many of them; at night all."""
    return values if NIGHTLY else [values[turn % len(values)]]


def turn_of(served: Served, label: str) -> int:
    """The number of an operation."""
    return OPERATIONS.index((served.name, label))


every_operation = pytest.mark.parametrize(("served", "label"), OPERATIONS, indirect=["served"])


def ask(
    served: Served,
    label: str,
    *,
    place: tuple[str, str] | None = None,
    text: str = "",
    headers: Mapping[str, str | bytes] | None = None,
    body: bytes | None = None,
) -> BaseHTTPResponse:
    """Ask for an operation, with one value of its address, its headers or its body replaced."""
    method, _, path = label.partition(" ")
    places = places_of(served, label)
    query: list[str] = []
    for parameter in parameters(served, label):
        name = parameter["name"]
        if place == (parameter["in"], name):
            places[name] = text
            query += [f"{name}={text}"] if parameter["in"] == "query" else []
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{name}={parameter['example']}")
    address = f"{path.format_map(places)}?{'&'.join(query)}"
    sent: dict[str, Any] = {
        **served.who(),
        "Idempotency-Key": str(uuid.uuid4()),
        "If-Match": '"1"',
        "Content-Type": JSON,
        **(headers or {}),
    }
    return served.pool.request(method, address, body=body, headers=sent)


def operation(served: Served, label: str) -> Mapping[str, Any]:
    method, _, path = label.partition(" ")
    found: Mapping[str, Any] = served.document["paths"][path][method.lower()]
    return found


def parameters(served: Served, label: str) -> list[dict[str, Any]]:
    return list(operation(served, label).get("parameters", ()))


def places_of(served: Served, label: str) -> dict[str, Any]:
    """The value for each place of a path: what is there, else anything of its form."""
    found = [each for each in parameters(served, label) if each["in"] == "path"]
    anything = {each["name"]: each.get("example", str(uuid.UUID(int=1))) for each in found}
    return {**anything, "code": "not-found", **served.places}


def kind_of(parameter: Mapping[str, Any]) -> str:
    """The type of a parameter, by its format where it has one."""
    schema = parameter["schema"]
    schema = next(iter(schema.get("anyOf", ())), schema)
    return str(schema.get("format", schema["type"]))


@every_operation
def test_no_address_holds_what_is_no_text(served: Served, label: str) -> None:
    for turn, parameter in enumerate(parameters(served, label), turn_of(served, label)):
        if parameter["in"] in ("path", "query"):
            for text in in_turn(NO_TEXT, turn):
                answer = ask(served, label, place=(parameter["in"], parameter["name"]), text=text)
                assert answer.status == 422, (parameter["name"], text, answer.data)


@every_operation
def test_a_parameter_is_written_in_the_one_form_of_its_kind(served: Served, label: str) -> None:
    for parameter in parameters(served, label):
        if parameter["in"] not in ("path", "query") or parameter["name"] == "cursor":
            continue
        kind = kind_of(parameter)
        for text in NO_FORM if NIGHTLY else BY_DAY[kind]:
            answer = ask(served, label, place=(parameter["in"], parameter["name"]), text=text)
            shown = parameter["name"], text, answer.data
            assert answer.status < 500, shown
            if kind != "string" and text not in FITS.get(kind, ()):
                assert answer.status == 422, shown


@every_operation
def test_a_parameter_that_an_operation_does_not_take_is_refused_by_name(
    served: Served, label: str
) -> None:
    method, _, path = label.partition(" ")
    address = f"{path.format_map(places_of(served, label))}?filter=red"

    sent = served.who() | {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"1"'}
    answer = served.pool.request(method, address, headers=sent)

    assert answer.status == 422, answer.data
    refused = [each["code"] for each in answer.json()["errors"] if each["loc"][1:] == ["filter"]]
    assert refused == ["unknown_parameter"]


# -- Cursors --------------------------------------------------------------------------------------

KEYS: Final = ("9223372036854775808", '"a\0"', '["2023-01-01T00:00:00Z","a"]', "[" * 200)


def signed_by_a_stranger(path: str, query: Mapping[str, str], key: str) -> str:
    """A cursor for a key that no list ever gave, of the right form, signed by a guessed secret."""
    whose = json.dumps(["registry", path, sorted(query.items())], separators=(",", ":")).encode()
    signature = hmac.digest(b"secret", whose + b"\n" + key.encode(), hashlib.sha256)[:16]
    return base64.urlsafe_b64encode(signature + key.encode()).rstrip(b"=").decode()


@every_operation
def test_a_cursor_that_no_list_gave_is_refused(served: Served, label: str) -> None:
    found = [each for each in parameters(served, label) if each["name"] == "cursor"]
    path = label.partition(" ")[2].format_map(places_of(served, label))
    query = {
        each["name"]: str(each["example"])
        for each in parameters(served, label)
        if each["in"] == "query" and each.get("required")
    }
    for key in KEYS if found else ():
        text = signed_by_a_stranger(path, query, key)
        answer = ask(served, label, place=("query", "cursor"), text=text)
        assert answer.status == 400, (key, answer.data)


# -- Headers and bodies ---------------------------------------------------------------------------

OF_STEPS: Final[Mapping[str, Sequence[bytes]]] = {
    "Idempotency-Key": (b"", b"\xff", b"a\xd9\xa3", b"x" * 129),
    "If-Match": (b'"\xd9\xa3"', b"*", b'W/"1"', b'"' + b"9" * 65 + b'"'),
}
"""Headers of a POST alone, which it reads itself."""
OF_ALL: Final[Mapping[str, Sequence[bytes]]] = {
    "X-Request-ID": (b"\xff" * 9, b"x" * 200),
    "Authorization": (b"Bearer \xff\xfe", b"Bearer a.b.c", b"Bearer "),
    "traceparent": (b"\xff", b"00-zz-zz-zz", b"9" * 500),
    "If-None-Match": (b"\xff", b'"' * 99),
    "Content-Type": (b"application/json; charset=\xff",),
}
"""Headers that are read before any operation is."""


def headers_for(label: str, turn: int) -> Iterator[tuple[str, bytes]]:
    """The headers that an operation is asked with, one at a time."""
    if NIGHTLY or label.startswith("POST "):
        yield from ((name, value) for name, values in OF_STEPS.items() for value in values)
    for name, values in OF_ALL.items():
        yield from ((name, value) for value in in_turn(values, turn))


@every_operation
def test_no_header_makes_a_service_fail(served: Served, label: str) -> None:
    sent = operation(served, label).get("requestBody", {}).get("content", {}).get(JSON)
    body = json.dumps(sent["example"]).encode() if sent else None
    for name, value in headers_for(label, turn_of(served, label)):
        answer = ask(served, label, headers={name: value}, body=body)
        assert answer.status < 500 or label == "GET /ready", (name, value, answer.data)


def no_json(example: Any) -> Sequence[bytes]:
    """The example as bytes that are no JSON, or JSON that no reader takes: refused before any
    operation reads it."""
    whole = json.dumps(example)
    odd = ("NaN", "Infinity", "-Infinity", '"a\\u0000"', '"\\ud800"', "1e400")
    more = [f'"more": {value}' for value in odd]
    if example:
        name, value = next(iter(example.items()))
        more.append(f"{json.dumps(name)}: {json.dumps(value)}")  # for the second time
    return [
        *(b"", b"\xff", b"[" * 100_000, b"9" * 5_000, whole.encode("utf-16")),
        *(f"{whole[:-1]}{', ' if example else ''}{each}}}".encode() for each in more),
    ]


def mutations(example: Any, turn: int) -> Iterator[bytes]:
    """The example as JSON with one thing wrong in it."""
    yield from in_turn(no_json(example), turn)
    for place, leaf in leaves(example, ()):
        for value in WRONG[type(leaf)]:
            yield json.dumps(replaced(example, place, value)).encode()


WRONG: Final[Mapping[type, tuple[object, ...]]] = {
    str: ("a\0", "\udc00", 5, True, ["a"]),
    int: (1.0, "1", True, 2**63, -(2**63) - 1, 10**400),
    bool: ("true", 1, 0),
}


def leaves(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every text, number and truth of an example, and where it stands."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*place, key))
    elif value is not None:
        yield place, value


def replaced(value: Any, place: tuple[str | int, ...], by: object) -> Any:
    """The example with another value at a place."""
    if not place:
        return by
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], by)
    return copy


@every_operation
def test_a_body_is_taken_as_it_is_meant_or_not_at_all(served: Served, label: str) -> None:
    sent = operation(served, label).get("requestBody", {}).get("content", {}).get(JSON)
    turn = turn_of(served, label)
    for body in mutations(sent["example"], turn) if sent else ():
        answer = ask(served, label, body=body)
        assert answer.status in (400, 422), (body[:200], answer.data)
