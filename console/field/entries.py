"""Entries that were made without a network: opened, asked whose they are, said to the services.

Each entry has a key of its own from the moment it was entered, under which a service does it once.
What it asks for a service decides, by the rights of whoever sends it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

import httpx
import msgspec

from console.field.keys import EntryBroken, FieldKeys
from libs.chassis.bodies import OFFICE_ID

KEY: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
AGAIN: Final = frozenset({401, 408, 429})
"""Refusals that are of now: the session has ended, too slow, too often."""
IN_FLIGHT: Final = "idempotency-key-in-flight"

Outcome: TypeAlias = Literal["ACCEPTED", "REFUSED", "RETRY"]
Code = Annotated[str, msgspec.Meta(pattern=OFFICE_ID, min_length=1)]
Body = dict[str, Any]
"""A body as its service reads it, which looks at each of its fields."""


class EntryOfAnother(Exception):
    """An entry was made by somebody else than who sends it."""


class Attended(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="attendance"):
    """Who was at a session; `meeting` where it was planned, and is said to have been held."""

    session: Code
    marks: Annotated[list[Body], msgspec.Meta(min_length=1)]
    meeting: Body | None = None


class Complained(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="complaint"):
    """A complaint that somebody made to a facilitator."""

    case: Body


What: TypeAlias = Attended | Complained


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: `by` is the pledge of who entered it, `key` the Idempotency-Key that it keeps."""

    by: str
    key: Annotated[str, msgspec.Meta(pattern=KEY)]
    what: What


@dataclass(frozen=True, slots=True)
class Step:
    """One request to a service."""

    service: str
    path: str
    body: object
    key: str


def opened(keys: FieldKeys, sealed: str, person: str) -> Entry:
    """The entry that a person sends. Raises `EntryBroken`, and `EntryOfAnother` where it was made
    by somebody who is not that person."""
    plain, pledge = keys.opened(sealed, person)
    try:
        entry = msgspec.json.decode(plain, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise EntryBroken from None
    if not hmac.compare_digest(entry.by.encode(), pledge.encode()):
        raise EntryOfAnother
    return entry


def steps(entry: Entry) -> Sequence[Step]:
    """The requests that an entry comes to, in their order; each has the same key every time."""
    match entry.what:
        case Attended(session=session, marks=marks, meeting=meeting):
            held = Step("p2k2", f"/sessions/{session}/report", meeting, f"{entry.key}.held")
            there = Step("p2k2", f"/sessions/{session}/attendance", {"marks": marks}, entry.key)
            return (held, there) if meeting is not None else (there,)
        case Complained(case=case):
            return (Step("complaints", "/cases", case, entry.key),)


def outcome_of(answer: httpx.Response) -> Outcome:
    """The meaning of an answer for an entry that waits."""
    if answer.is_success:
        return "ACCEPTED"
    passing = answer.status_code in AGAIN or answer.status_code >= 500
    return "RETRY" if passing or problem_of(answer)["code"] == IN_FLIGHT else "REFUSED"


def problem_of(answer: httpx.Response) -> Mapping[str, Any]:
    """The reason of a refusal: its code, the words of the service, the fields that are meant."""
    try:
        content = answer.json()
    except ValueError:
        content = None
    problem = content if isinstance(content, dict) else {}
    code = str(problem.get("type", "")).rpartition("/")[2]
    texts = {name: str(problem.get(name) or "") for name in ("title", "detail")}
    return {"status": answer.status_code, "code": code, **texts, "errors": problem.get("errors")}
