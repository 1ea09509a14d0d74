"""A clerk of Aceh who may import wants a family's money of Kalimantan on his own account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.integration.attacks.conftest import RegistryAtItsDoor
from tests.integration.registry.kit import (
    as_csv,
    child,
    decide,
    differences,
    family,
    hand_in,
    life_event,
    member,
)

CARD, UNKNOWN, PUPIL = "6103010101230001", "6103010101230002", "6103011712160002"
HIS_NIK: Final = "1101010101880001"
ACEH, KALIMANTAN = ("11",), ("61",)

NEWBORN: Final = {"nik": HIS_NIK, "name": "MALIK", "sex": "M", "birth_date": "1988-01-01"}
HIS_ACCOUNT: Final = {
    "new_payee_nik": HIS_NIK,
    "bank_code": "BRI",
    "account_no": "66600006660",
    "account_name": "MALIK",
}


def born(
    card: str = CARD, on: str = "1988-01-01", reported_on: str = "2023-01-10"
) -> dict[str, str]:
    return life_event("BIRTH", card, on, reported_on, **NEWBORN | {"birth_date": on})


def diverted(card: str = CARD) -> dict[str, str]:
    return life_event("PAYEE_CHANGE", card, "2023-01-12", "2023-01-12", **HIS_ACCOUNT)


async def refusals(
    registry: RegistryAtItsDoor, file: str, *rows: Mapping[str, str], regions: Sequence[str]
) -> list[tuple[str, str]]:
    """(column, code) of each row that is refused of a file that a clerk of some regions sends."""
    answer = await hand_in(registry.door, file, as_csv(file, rows), partial=True, regions=regions)
    report: dict[str, Any] = answer.json()
    assert HIS_NIK not in answer.text
    return [(error["column"], error["code"]) for error in report["errors"]]


@pytest_asyncio.fixture
async def given(registry: RegistryAtItsDoor) -> RegistryAtItsDoor:
    """A family of Kalimantan with a pupil, whose payee is a member."""
    await registry.register.take("families", family(CARD, "6103014107900001"))
    await registry.register.take("members", member(CARD, "6103014107900001"), child(CARD, PUPIL))
    return registry


async def test_no_row_of_his_changes_a_family_of_another_region(given: RegistryAtItsDoor) -> None:
    before = await given.register.state_of(CARD)
    reported_on = "2023-01-12"
    pupil = {"nik": PUPIL}
    files: Mapping[str, Sequence[dict[str, str]]] = {
        "members": [member(CARD, HIS_NIK, "1988-01-01")],
        "life-events": [
            born(),
            diverted(),
            life_event("MOVE", CARD, reported_on, reported_on, region_code="11.01.01.2001"),
            life_event("DEATH", CARD, reported_on, reported_on, **pupil),
            life_event("SCHOOL_CHANGE", CARD, reported_on, reported_on, school_level="SD", **pupil),
            life_event("PREGNANCY", CARD, reported_on, reported_on, due_date="2023-06-01", **pupil),
        ],
    }
    for file, rows in files.items():
        unknown = [row | {"no_kk": UNKNOWN} for row in rows]
        found = await refusals(given, file, *rows, *unknown, regions=ACEH)
        assert found == [("no_kk", "UNKNOWN_CARD")] * 2 * len(rows)
    assert await given.register.state_of(CARD) == before


@pytest.mark.parametrize(
    ("on", "reported_on"),
    [("1988-01-01", "2023-01-10"), ("2008-01-01", "2008-01-10")],
    ids=["an adult", "an adult by a report of many years ago"],
)
async def test_nobody_is_born_as_an_adult_into_a_family(
    given: RegistryAtItsDoor, on: str, reported_on: str
) -> None:
    await given.register.listed_by_its_leader()

    found = await refusals(
        given, "life-events", born(on=on, reported_on=reported_on), regions=KALIMANTAN
    )

    assert found == [("birth_date", "BIRTH_NOT_RECENT")]
    assert len((await given.register.state_of(CARD)).members) == 2


# -- By a clerk of the family's own region ---------------------------------------------------------


async def test_his_account_is_not_paid_before_a_second_person_has_seen_it(
    given: RegistryAtItsDoor,
) -> None:
    assert await refusals(given, "life-events", diverted(), regions=KALIMANTAN) == []
    await given.register.listed_by_its_leader()

    line = await given.register.line_of(CARD)

    assert (line.body["bank"], line.body["payee_valid"]) == ("BNI", True)


@pytest.mark.parametrize("name", ["importer-1", "Importer-1", "IMPORTER-1"])
async def test_he_approves_nothing_himself_whatever_he_calls_himself(
    given: RegistryAtItsDoor, name: str
) -> None:
    await refusals(given, "life-events", diverted(), regions=KALIMANTAN)

    answer = await decide(given.door, name, regions=KALIMANTAN)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await given.register.state_of(CARD)).payees == ()


async def test_a_friend_in_another_region_neither_sees_nor_approves_it(
    given: RegistryAtItsDoor,
) -> None:
    await refusals(given, "life-events", diverted(), regions=KALIMANTAN)
    found = await differences(given.door, "supervisor-1", regions=KALIMANTAN)

    assert (await differences(given.door, "friend-1", regions=ACEH)).json()["items"] == []
    answer = await decide(given.door, "friend-1", regions=ACEH, seen=found)

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-change")


async def test_a_newcomer_of_his_is_no_member_before_a_second_person_has_seen_it(
    given: RegistryAtItsDoor,
) -> None:
    await given.register.listed_by_its_leader()
    row = member(CARD, HIS_NIK, "1988-01-01", severe_disability="Y")

    bare = await refusals(given, "members", row, regions=KALIMANTAN)
    shown = row | {"evidence": "BA-12/2023"}
    sent = as_csv("members", [shown])
    taken = await hand_in(given.door, "members", sent, regions=KALIMANTAN)

    assert bare == [("evidence", "EVIDENCE_MISSING")]
    assert (taken.json()["accepted"], taken.json()["proposed"]) == (1, 1)
    assert len((await given.register.state_of(CARD)).members) == 2


async def test_a_family_that_he_sends_to_aceh_is_not_acehs_before_aceh_confirms_it(
    given: RegistryAtItsDoor,
) -> None:
    on = "2023-01-12"
    away = life_event("MOVE", CARD, on, on, region_code="11.01.01.2001")
    assert await refusals(given, "life-events", away, regions=KALIMANTAN) == []

    row = diverted()
    before = await refusals(given, "life-events", row, regions=ACEH)
    own_side = await decide(given.door, "supervisor-1", regions=KALIMANTAN)
    confirmed = await decide(given.door, "supervisor-2", regions=ACEH)
    after = await refusals(given, "life-events", row, regions=ACEH)

    assert (before, after) == ([("no_kk", "UNKNOWN_CARD")], [])
    assert (own_side.status_code, confirmed.status_code) == (404, 204)
