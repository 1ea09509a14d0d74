"""A clerk admits a person without a document, beside a row of another family that has one."""

from __future__ import annotations

from tests.integration.attacks.conftest import RegistryAtItsDoor
from tests.integration.registry.kit import as_csv, child, family, hand_in, member

HIS, THEIRS = "6103010101230001", "6103010101230002"
PARENTS = {HIS: "6103014107900001", THEIRS: "6103014107900002"}
PERSON = "6103011712160003"


async def test_a_document_of_one_family_admits_nobody_to_another(
    registry: RegistryAtItsDoor,
) -> None:
    cards = [family(card, payee) for card, payee in PARENTS.items()]
    await hand_in(registry.door, "families", as_csv("families", cards))
    parents = [member(card, payee) for card, payee in PARENTS.items()]
    children = [child(HIS, "6103011712160001"), child(THEIRS, "6103011712160002")]
    await hand_in(registry.door, "members", as_csv("members", [*parents, *children]))
    await registry.register.listed()

    rows = [child(HIS, PERSON), child(THEIRS, PERSON) | {"evidence": "KK-7/2023"}]
    text = as_csv("members", rows)
    sent = (await hand_in(registry.door, "members", text, partial=True)).json()

    assert [(error["line"], error["code"]) for error in sent["errors"]] == [(2, "EVIDENCE_MISSING")]
    assert sent["proposed"] == 1
