"""An act on a row of a work list: how it stands, what is about to be done, what came of it."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

import httpx

from console.actions import Action, actions_of, flat
from console.page import Page, PageRefused, Shown, Visit
from console.worklists import list_named

ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TAHAP: Final = re.compile(r"20[0-9]{2}-[1-9]|")
REFERENCE: Final = re.compile(r"[0-9]{1,9}|")
CODE: Final = re.compile(r"[A-Z][A-Z_]{1,39}")
LINES_MAX: Final = 60


async def show(visit: Visit) -> Shown:
    """The thing as it stands now, to be looked at before it is decided on."""
    visit.only("family", "tahap", "reference")
    action = _action(visit)
    about = _about({name: visit.asked(name) or "" for name in ("family", "tahap", "reference")})
    answer = await visit.ask(action.service, action.seen.format(**about))
    if not answer.is_success:
        raise PageRefused(404, "unknown_family")
    data: dict[str, Any] = {
        **_named(visit, action, about),
        "lines": flat(answer.json())[:LINES_MAX],
        "seen": answer.headers.get("etag", ""),
        "key": str(uuid.uuid4()),
        "asks": action.asks,
    }
    return Shown("worklist_action.html", data)


async def act(visit: Visit) -> Shown:
    """Do it, by what was seen; sent twice it is done once."""
    action, form = _action(visit), visit.form
    about = _about({name: form.get(name, "") for name in ("family", "tahap", "reference")})
    body = dict(action.body)
    if action.asks:
        if not CODE.fullmatch(form.get(action.asks, "")):
            raise PageRefused(422, "no_code")
        body[action.asks] = form[action.asks]
    if not ID.fullmatch(form.get("key", "")) or len(form.get("seen", "")) > LINES_MAX * 2:
        raise PageRefused(422, "bad_request")
    answer = await visit.ask(
        action.service,
        action.path.format(**about),
        method="POST",
        body=body or None,
        headers={"Idempotency-Key": form["key"], "If-Match": form.get("seen", "")},
    )
    problem = None if answer.is_success else _problem(answer)
    status = 200 if problem is None else answer.status_code
    data = {**_named(visit, action, about), "problem": problem}
    return Shown("worklist_acted.html", data, status)


def _action(visit: Visit) -> Action:
    """The act of the path; a 403 page where it is somebody else's."""
    name, wanted = list_named(visit), visit.request.path_params["act"]
    for action in actions_of(name, visit.reader):
        if action.name == wanted:
            return action
    raise PageRefused(403, "act_not_yours")


def _about(given: dict[str, str]) -> dict[str, str]:
    forms = (("family", ID), ("tahap", TAHAP), ("reference", REFERENCE))
    if not all(form.fullmatch(given[name]) for name, form in forms):
        raise PageRefused(422, "unknown_filter")
    return given


def _named(visit: Visit, action: Action, about: dict[str, str]) -> dict[str, Any]:
    name = list_named(visit)
    return {
        "list": name,
        "action": action.name,
        "service": action.service,
        "back": visit.link(f"/work-lists/{name}"),
        **about,
    }


def _problem(answer: httpx.Response) -> dict[str, str]:
    """The service's word against it: the name of the problem, and its sentence."""
    try:
        found = answer.json()
        kind, detail = str(found["type"]).rsplit("/", 1)[-1], str(found.get("detail") or "")
    except (ValueError, LookupError, TypeError):
        kind, detail = "", ""
    return {"kind": kind.replace("-", "_"), "detail": detail}


PAGE: Final = Page("worklists", "/work-lists/{list}/act/{act}", show, act=act)
