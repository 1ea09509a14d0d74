"""The session of the field's pages: the key of what they read, and that of what they send."""

from __future__ import annotations

from typing import Final

from console.field.keys import FieldKeys
from console.field.shell import MEETS
from console.page import Page, PageRefused, Sent, Visit
from console.sealing import Seal

PURPOSE: Final = "field"


async def show(visit: Visit) -> Sent:
    """Keys for who is signed in. That of what is read is never stored: it follows from the session
    and from a word that the browser forgets when it ends, and is the same while both last."""
    visit.only()
    session, ends_at = visit.session, visit.session.ends_at
    if not visit.while_open or ends_at is None:
        raise PageRefused(401, "sign_in_failed")
    keys = FieldKeys(visit.settings.field_key)
    person = visit.reader.subject
    return Sent(
        {
            "person": person,
            "labels": keys.labels(person),
            "pledge": keys.pledge(person),
            "reading_key": Seal(visit.settings.cursor_key).word(
                PURPOSE, f"{session.id}.{visit.while_open}"
            ),
            "sealing_key": keys.public,
            "csrf": visit.csrf,
            "ends_at": ends_at.isoformat(),
        }
    )


PAGE: Final = Page("field", "/field/session", show, scopes=(), one_of=MEETS)
