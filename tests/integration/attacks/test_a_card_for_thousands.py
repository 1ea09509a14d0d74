"""A clerk puts thousands of people on one card, so that nobody's list is ever made."""

from __future__ import annotations

from typing import Final

from services.registry.domain.family.rules import ENTRIES_MAX
from tests.integration.attacks.conftest import RegistryAtItsDoor, owed
from tests.integration.registry.kit import as_csv, child, family, hand_in, member

CROWD, THEIRS = "6103010101230001", "6103010101230002"
PAYEE, CHILD = "6103014107900001", "6103011712160002"
EARLY_CHILD: Final = 750_000


async def test_it_is_refused_and_the_others_are_listed_and_paid(
    registry: RegistryAtItsDoor,
) -> None:
    cards = [family(CROWD, "6103014107900002"), family(THEIRS, PAYEE)]
    await hand_in(registry.door, "families", as_csv("families", cards))
    crowd = [child(CROWD, f"6103{number:012}") for number in range(ENTRIES_MAX + 1)]
    rows = as_csv("members", [*crowd, member(THEIRS, PAYEE), child(THEIRS, CHILD)])

    whole = await hand_in(registry.door, "members", rows)
    rest = (await hand_in(registry.door, "members", rows, partial=True)).json()
    await registry.register.listed()

    assert whole.status_code == 422
    assert {error["code"] for error in rest["errors"]} == {"FAMILY_FULL"}
    assert len((await registry.register.state_of(CROWD)).members) <= ENTRIES_MAX
    assert owed(await registry.register.line_of(THEIRS, "2023-1")) == EARLY_CHILD


async def test_who_is_refused_there_puts_no_other_family_on_hold(
    registry: RegistryAtItsDoor,
) -> None:
    cards = [family(CROWD, "6103014107900002"), family(THEIRS, PAYEE)]
    await hand_in(registry.door, "families", as_csv("families", cards))
    theirs = [member(THEIRS, PAYEE), child(THEIRS, CHILD)]
    await hand_in(registry.door, "members", as_csv("members", theirs))
    crowd = [child(CROWD, f"6103{number:012}") for number in range(ENTRIES_MAX)]
    rows = as_csv("members", [*crowd, child(CROWD, CHILD)])

    await hand_in(registry.door, "members", rows, partial=True)
    await registry.register.listed()

    assert owed(await registry.register.line_of(THEIRS, "2023-1")) == EARLY_CHILD
