"""A facilitator's groups, their families and their latest sessions, as p2k2 shows them to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from console.field.shell import MEETS
from console.page import OtherSilent, Page, PageRefused, Sent, Visit
from libs.events.domain.persons import same_person
from services.projection.policy.areas import name_of

GROUPS_MAX: Final = 40
"""Of a facilitator, or of whoever sees all groups of a district."""
LISTED_MAX: Final = 1_000
SESSIONS_OF_GROUP: Final = 3
"""The latest that are taken along."""

Answer: TypeAlias = Mapping[str, Any]


async def show(visit: Visit) -> Sent:
    """The work that is taken along: at most GROUPS_MAX groups, `more` where there are."""
    visit.only()
    listed = (await _asked(visit, "/groups", limit=str(LISTED_MAX)))["items"]
    own = [row for row in listed if same_person(row["facilitator"], visit.reader.subject)]
    found = own or listed
    year = str(visit.request.app.state.clock().year)
    taken = found[:GROUPS_MAX]
    groups = await _all(_asked(visit, f"/groups/{row['group']}", year=year) for row in taken)
    lists = await _all(
        _asked(visit, "/sessions", group=row["group"], limit=str(LISTED_MAX)) for row in taken
    )
    numbers = [number for page in lists for number in _latest(page["items"])]
    sessions = await _all(_asked(visit, f"/sessions/{number}") for number in numbers)
    return Sent(
        {
            "groups": [_group(group) for group in groups],
            "sessions": [_session(session) for session in sessions],
            "more": len(found) - len(taken),
            "at": visit.request.app.state.clock().isoformat(),
        }
    )


async def _all(asked: Iterable[Awaitable[Answer]]) -> Sequence[Answer]:
    return await asyncio.gather(*asked)


async def _asked(visit: Visit, path: str, **query: str) -> Answer:
    """The answer of p2k2, which decides by the reader's own token what they see."""
    answer = await visit.ask("p2k2", path, query=query)
    if answer.status_code in (401, 403):
        raise PageRefused(answer.status_code, "scope_missing")
    if not answer.is_success:
        raise OtherSilent("p2k2")
    found: Answer = answer.json()
    return found


def _latest(sessions: Sequence[Answer]) -> list[str]:
    standing = [row for row in sessions if row["standing"] != "CANCELLED"]
    latest = sorted(standing, key=lambda row: (row["on"], row["number"]), reverse=True)
    return [row["number"] for row in latest[:SESSIONS_OF_GROUP]]


def _group(group: Answer) -> dict[str, Any]:
    wanted = ("group", "region", "facilitator", "families", "venue", "schedule")
    return {**{name: group[name] for name in wanted}, "place": name_of(group["region"])}


def _session(session: Answer) -> dict[str, Any]:
    wanted = ("number", "group", "facilitator", "on", "starts_at", "venue", "module", "session")
    marks = [{"family": mark["family"], "status": mark["status"]} for mark in session["marks"]]
    return {**{name: session[name] for name in (*wanted, "standing")}, "marks": marks}


PAGE: Final = Page("field", "/field/work", show, scopes=(), one_of=MEETS)
