"""Entries that were made without a network: each is sent by itself and answered for."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import structlog

from console.field.entries import Entry, EntryOfAnother, opened, outcome_of, problem_of, steps
from console.field.keys import EntryBroken, FieldKeys
from console.field.shell import MEETS
from console.page import OtherSilent, Page, PageRefused, Sent, Visit

RECEIPT: Final = ("receipt", "pin")

audit = structlog.get_logger("audit")


async def act(visit: Visit) -> Sent:
    """ACCEPTED, or REFUSED with the reason and what was entered, or RETRY: nothing is known yet."""
    if set(visit.form) != {"entry"}:
        raise PageRefused(422, "bad_request")
    keys = FieldKeys(visit.settings.field_key)
    try:
        entry = opened(keys, visit.form["entry"], visit.reader.subject)
    except (EntryBroken, EntryOfAnother) as refused:
        code = "entry-broken" if isinstance(refused, EntryBroken) else "entry-of-another"
        audit.warning("field entry refused", subject=visit.reader.subject, reason=code)
        return Sent({"outcome": "REFUSED", "problem": {"status": 422, "code": code}})
    try:
        return Sent(await _sent(visit, entry))
    except OtherSilent:
        return Sent({"outcome": "RETRY"})


async def _sent(visit: Visit, entry: Entry) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for step in steps(entry):
        answer = await visit.ask(
            step.service,
            step.path,
            method="POST",
            body=step.body,
            headers={"Idempotency-Key": step.key},
        )
        outcome = outcome_of(answer)
        if outcome == "RETRY":
            return {"outcome": outcome}
        if outcome == "REFUSED":
            what = msgspec.to_builtins(entry.what)
            return {"outcome": outcome, "problem": problem_of(answer), "what": what}
        if step.service == "complaints":
            given = {name: answer.json()[name] for name in RECEIPT}
    return {"outcome": "ACCEPTED", **given}


async def show(_visit: Visit) -> Sent:
    """Entries are sent and never read: nobody keeps them here."""
    raise PageRefused(404, "unknown_page")


PAGE: Final = Page("field", "/field/entries", show, scopes=(), one_of=MEETS, act=act)
