"""Requests whose text means one thing to us, to our parsers and to the database; others get a 4xx.

Three places, one after another, and none of them in a route: the address must be UTF-8 without
control characters, a JSON body has each name once and nothing that JSON does not know, and the
parameters of an operation are written in the one form of their type (`forms.py`). What a framework
would put right (1_0, 1.0, {3F0C...}, a number as a day) is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NoReturn, get_args
from urllib.parse import unquote_to_bytes
from uuid import UUID

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.chassis import forms
from libs.chassis.auth import dependencies_of
from libs.chassis.problems import Mistake, Refusal, answer

_NO_TEXT: Final = "This is not UTF-8, or holds a character that no text here may have"
_NO_FORM: Final = "This is not written in the form of its kind"
_DOUBLED: Final = "A name stands twice in an object of the body."
_CONSTANT: Final = "The body holds a number that JSON does not know."


def well_formed(app: ASGIApp, bytes_max: int) -> ASGIApp:
    """ASGI middleware: refuses an address that is no plain text, and JSON that is not strict.

    A JSON body is refused by whoever reads it, at its first byte; it has at most `bytes_max`
    bytes, whatever a route that streams other bodies allows itself.
    """

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        for part, raw in _address(scope).items():
            if not _is_text(raw):
                errors = [Mistake(loc=[part], message=_NO_TEXT, code="text_malformed")]
                response = answer(Request(scope), 422, "invalid-request", errors=errors)
                return await response(scope, receive, send)
        if _sends_json(Headers(scope=scope)):
            receive = _strictly(receive, bytes_max)
        return await app(scope, receive, send)

    return check


# -- The address ----------------------------------------------------------------------------------


def _address(scope: Scope) -> Mapping[str, bytes]:
    return {"path": scope.get("raw_path") or b"", "query": scope["query_string"]}


def _is_text(raw: bytes) -> bool:
    if b"%" not in raw and raw.isascii():
        return True
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return not any(character < " " or "\x7f" <= character < "\xa0" for character in text)


# -- A JSON body ----------------------------------------------------------------------------------


def _sends_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind[-5:] == "+json")


def _strictly(receive: Receive, bytes_max: int) -> Receive:
    """The same, but the whole body is one message, given when it was found to be strict."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            if len(body) > bytes_max:
                raise Refusal(413, "body-too-large", f"A body here has at most {bytes_max} bytes.")
            if not message.get("more_body", False):
                break
        if body:
            _check_json(bytes(body))
        given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return receiving


def _check_json(body: bytes) -> None:
    """Raises a `Refusal`: 400 for what is no JSON, 422 for text that no database holds."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_unknown)
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a number of thousands of digits
        raise Refusal(400, "malformed-json", "The body is not JSON.") from None
    if not all(map(forms.is_text, _texts(value))):
        errors = [Mistake(loc=["body"], message=_NO_TEXT, code="text_malformed")]
        raise Refusal(422, "invalid-request", f"{_NO_TEXT}.", members={"errors": errors})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refusal(400, "malformed-json", _DOUBLED)
    return found


def _texts(value: object) -> Iterator[str]:
    """Every text and name of a decoded value; numbers are for the fields to bound, by name."""
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case _:
            pass  # numbers, truths and null hold no text


def _unknown(_constant: str) -> NoReturn:
    raise Refusal(400, "malformed-json", _CONSTANT)


# -- Parameters -----------------------------------------------------------------------------------


async def one_form(request: Request) -> None:
    """A dependency of every operation: 422 names each number, day, id or flag of its path and
    query that is not written in the one form of its kind."""
    mistakes: list[Mistake] = []
    for found in dependencies_of(request.scope["route"]):
        for part, fields, given in (
            ("path", found.path_params, request.path_params),
            ("query", found.query_params, request.query_params),
        ):
            for field in fields:
                text = given.get(field.alias)
                if text is not None and not _has_form(text, field.field_info.annotation):
                    loc = [part, field.alias]
                    mistakes.append(Mistake(loc=loc, message=_NO_FORM, code="form_mismatch"))
    if mistakes:
        raise Refusal(422, "invalid-request", f"{_NO_FORM}.", members={"errors": mistakes})


def _has_form(text: str, annotation: Any) -> bool:
    kinds = {annotation, *get_args(annotation)}
    if int in kinds:
        return bool(forms.WHOLE.fullmatch(text)) and abs(int(text)) <= forms.BIGINT_MAX
    if date in kinds:
        return forms.is_day(text)
    if UUID in kinds:
        return bool(forms.ID.fullmatch(text))
    return bool not in kinds or text in ("true", "false")
