"""The search: a family by its id or its card, an area by its code or name.

All of it is posted, so that nothing that somebody types stands in an address. A card is looked up
by registry, for a purpose, and stands on record there.
"""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from console.areas import title_of
from console.page import Leads, Page, PageRefused, Shown, Visit
from libs.chassis.forms import holds_number
from services.projection.policy.areas import names
from services.projection.tables import read_models

IDENTIFY: Final = "registry:identify"
PURPOSES: Final = (
    *("PAYMENT_TRACE", "COMPLAINT", "CORRECTION", "APPROVAL", "INSPECTION", "SUBJECT_REQUEST"),
)
"""The purposes of registry's look_ups.yaml for which one family is looked up."""
FOUND_MAX: Final = 50
TEXT_CHARACTERS_MAX: Final = 100
HEX_CHARACTERS: Final = 32
BEGINNING: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")
CARD: Final = re.compile(r"[0-9]{16}")


async def show(visit: Visit) -> Shown:
    """The empty form."""
    visit.only()
    return _shown(visit)


def _shown(visit: Visit, status: int = 200, **found: Any) -> Shown:
    data: dict[str, Any] = {
        "asked": None,
        "families": [],
        "areas": [],
        "missing": None,
        "identifies": IDENTIFY in visit.reader.scopes,
        "purposes": PURPOSES,
    }
    return Shown("find.html", data | found, status)


async def find(visit: Visit) -> Shown | Leads:
    """The page of what was found where it is one thing, else a list to pick from."""
    if "no_kk" in visit.form:
        return await _by_card(visit)
    text = visit.form.get("text", "").strip()
    if not text or len(text) > TEXT_CHARACTERS_MAX:
        raise PageRefused(422, "bad_request")
    if holds_number(text):
        return _shown(visit, 422, missing="number")
    if BEGINNING.fullmatch(text.lower()):
        return await _by_id(visit, text.lower())
    areas = _areas(visit, text)
    if len(areas) == 1:
        return Leads(areas[0]["href"])
    return _shown(visit, asked=text, areas=areas, missing=None if areas else "nothing")


async def _by_id(visit: Visit, text: str) -> Shown | Leads:
    digits = text.replace("-", "")
    if len(digits) > HEX_CHARACTERS:
        raise PageRefused(404, "unknown_family")
    first, last = (UUID(digits.ljust(HEX_CHARACTERS, filler)) for filler in "0f")
    rows = await read_models.families_between(
        visit.reading, visit.reader.regions, first, last, FOUND_MAX
    )
    if len(rows) == 1:
        return Leads(visit.link(f"/families/{rows[0]['family']}"))
    families = [{**row, "name": title_of(row["region"])} for row in rows]
    return _shown(visit, asked=text, families=families, missing=None if rows else "nothing")


async def _by_card(visit: Visit) -> Shown | Leads:
    """The family of a card, where registry tells it to this person."""
    card, purpose = visit.form["no_kk"].replace(" ", ""), visit.form.get("purpose", "")
    if IDENTIFY not in visit.reader.scopes:
        raise PageRefused(403, "scope_missing")
    if purpose not in PURPOSES:
        raise PageRefused(422, "bad_request")
    if not CARD.fullmatch(card):
        return _shown(visit, 422, missing="no_card")
    asked = {"no_kk": card, "purpose": purpose}
    answer = await visit.ask("registry", "/identities/by-card", method="POST", body=asked)
    if answer.is_success:
        return Leads(visit.link(f"/families/{answer.json()['family']}"))
    missing = {404: "card_unknown", 429: "too_many", 409: "too_many"}
    return _shown(visit, answer.status_code, missing=missing.get(answer.status_code, "no_card"))


def _areas(visit: Visit, text: str) -> list[dict[str, str]]:
    """The areas of the reader whose code this is, or whose name holds it; the widest first."""
    wanted = text.upper()
    found = (code for code, name in names().items() if wanted in name or text == code)
    own = [code for code in found if visit.reader.may_see(code)]
    return [
        {
            "code": code,
            "name": title_of(code),
            "within": ", ".join(
                title_of(code[:length]) for length in (8, 5, 2) if length < len(code)
            ),
            "href": visit.link("/", region=code),
        }
        for code in sorted(own, key=lambda code: (len(code), code))[:FOUND_MAX]
    ]


PAGE: Final = Page("find", "/find", show, menu=15, act=find)
