"""Files into the register: taken once, refused by place, and never half."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.registry.http.csv_rows import FAMILY_COLUMNS, MEMBER_COLUMNS
from tests.doors import YEAR, Door, sent
from tests.integration.registry.kit import (
    REGION,
    Register,
    as_csv,
    family,
    hand_in,
    handed_in,
    life_event,
    member,
)
from tests.servers import eventually

CARD, OTHER_CARD = "6103010101010001", "6103010101010002"
NIK, OTHER_NIK = "6103014505900001", "6103014505900002"
NAME = "SITI RAHAYU PLANTED"
ACCOUNT = "987654321012"
YEAR_FILES = ("families", "members", "life-events")


def text_of(file: str) -> bytes:
    return (YEAR / f"{file.replace('-', '_')}.csv").read_bytes()


async def head(register: Register) -> int:
    return (await register.store.head())[0]


async def test_a_years_files_are_taken_and_the_same_again_change_nothing(
    registry: Door, register: Register
) -> None:
    for file in YEAR_FILES:
        rows = text_of(file).count(b"\n") - 1
        answer = await hand_in(registry, file, text_of(file))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["accepted"], answer.json()["refused"]) == (rows, 0)
    before = await head(register)

    for file in YEAR_FILES:
        rows = text_of(file).count(b"\n") - 1
        answer = await hand_in(registry, file, text_of(file))
        assert (answer.json()["accepted"], answer.json()["unchanged"]) == (0, rows)
        assert int(answer.headers["Position"]) == before
    assert await head(register) == before


async def test_the_same_rows_under_columns_in_another_order_change_nothing(
    registry: Door, register: Register
) -> None:
    files = [
        ("families", family(CARD, NIK), FAMILY_COLUMNS),
        ("members", member(CARD, NIK), MEMBER_COLUMNS),
    ]
    for file, row, _ in files:
        await handed_in(registry, file, row)
    before = await head(register)

    for file, row, columns in files:
        answer = await hand_in(registry, file, as_csv(file, [row], columns.required[::-1]))
        assert answer.status_code == 200, answer.text
        assert answer.json()["unchanged"] == 1
    assert await head(register) == before


async def test_a_request_sent_again_has_the_same_answer_and_no_second_effect(
    registry: Door, register: Register
) -> None:
    text = as_csv("families", [family(CARD)])
    first = await hand_in(registry, "families", text, key="once")
    before = await head(register)

    again = await hand_in(registry, "families", text, key="once")

    assert (again.status_code, again.json()) == (200, first.json())
    assert again.json()["accepted"] == 1
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await head(register) == before


async def test_another_file_under_a_used_key_is_refused(registry: Door, register: Register) -> None:
    await hand_in(registry, "families", as_csv("families", [family(CARD)]), key="once")

    answer = await hand_in(
        registry, "families", as_csv("families", [family(OTHER_CARD)]), key="once"
    )

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert await register.store.pool.fetchval("SELECT count(*) FROM claims") == 1


# -- Refusals -------------------------------------------------------------------------------------

BROKEN: dict[str, Callable[[str], bytes]] = {
    "a quote is never closed": lambda good: (good + f'"{CARD},{NAME}').encode(),
    "a NUL character": lambda good: (good + f"{CARD},{NAME}\0,{ACCOUNT}\r\n").encode(),
    "no UTF-8": lambda good: good.encode() + f"{CARD},{NAME},".encode() + b"\xff\xfe\r\n",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("partial", [False, True])
async def test_a_broken_file_is_refused_whole_and_its_place_is_named(
    registry: Door, register: Register, how: str, partial: bool
) -> None:
    good = as_csv("families", [family(CARD, NIK)])

    answer = await hand_in(registry, "families", BROKEN[how](good), partial=partial)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/malformed-file")
    assert (problem["file"], problem["line"]) == ("families.csv", 3)
    assert "column" in problem
    assert await head(register) == 0
    assert_untold(answer.text, CARD, NIK, NAME, ACCOUNT)


async def test_a_stray_quote_makes_no_person_of_two(registry: Door, register: Register) -> None:
    await handed_in(registry, "families", family(CARD, NIK), family(OTHER_CARD, NIK))
    before = await head(register)
    header = ",".join(MEMBER_COLUMNS.required)
    first = f'{CARD},{NIK},"SITI,F,1985-05-05,HEAD,,,,,N,,'
    second = f'{OTHER_CARD},{OTHER_NIK},AMINAH",F,2015-01-01,CHILD,,SD,,,N,,'

    for partial in (False, True):
        text = f"{header}\r\n{first}\r\n{second}\r\n"
        answer = await hand_in(registry, "members", text, partial=partial)

        assert (answer.status_code, answer.json()["line"]) == (422, 2)
        assert "lines 2 and 3" in answer.json()["detail"]
        assert await head(register) == before
        assert_untold(answer.text, CARD, OTHER_CARD, NIK, OTHER_NIK, "SITI", "AMINAH")


async def test_a_due_date_of_another_age_is_refused_and_the_list_is_made(
    registry: Door, register: Register
) -> None:
    await handed_in(registry, "families", family(CARD, NIK))
    await handed_in(registry, "members", member(CARD, NIK), member(CARD, OTHER_NIK, "2020-08-17"))
    for due in ("9999-12-31", "0001-01-01", "2100-12-31", "1900-01-01"):
        pregnancy = life_event("PREGNANCY", CARD, *DAYS, nik=NIK, due_date=due, pregnancy_order="1")
        answer = await hand_in(registry, "life-events", as_csv("life-events", [pregnancy]))
        assert places(answer.json()["report"]) == [(2, "due_date")]

    await register.announce()
    await eventually(register.closed)

    assert len(await register.lines()) == 1


async def test_a_file_without_its_header_is_refused_and_its_first_row_not_told(
    registry: Door, register: Register
) -> None:
    rows = as_csv("members", [member(CARD, NIK, name=NAME)]).split("\r\n", 1)[1]

    answer = await hand_in(registry, "members", rows)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/wrong-columns")
    assert_untold(answer.text, CARD, NIK, NAME)


BAD_MEMBERS = {
    "birth_date": member(CARD, OTHER_NIK, born=NIK, name=NAME),
    "no_kk": member("", OTHER_NIK, name=NAME),
    "severe_disability": member(CARD, OTHER_NIK, name=NAME, severe_disability=NIK),
    "school_level": member(CARD, OTHER_NIK, name=NAME, school_level=ACCOUNT),
    "pregnancy_order": member(CARD, OTHER_NIK, name=NAME, pregnancy_order=NIK),
    "sex": member(CARD, OTHER_NIK, sex=NAME),
    "relationship": member(CARD, OTHER_NIK, name=NAME, relationship=NIK),
    "occupation": member(CARD, OTHER_NIK, name=NAME, occupation="BANANA"),
    "nik": member(CARD, "6.10302E+15", name=NAME),
    "npsn": member(CARD, OTHER_NIK, name=NAME, npsn="3.0E+7"),
    "nisn": member(CARD, OTHER_NIK, name=NAME, nisn=NIK),
    "pregnancy_due_date": member(CARD, OTHER_NIK, name=NAME, pregnancy_due_date="9999-12-31"),
}


@pytest.mark.parametrize("column", BAD_MEMBERS)
async def test_a_bad_row_refuses_the_file_and_only_the_row_where_that_is_asked_for(
    registry: Door, register: Register, column: str
) -> None:
    await handed_in(registry, "families", family(CARD, NIK))
    before = await head(register)
    text = as_csv("members", [member(CARD, NIK), BAD_MEMBERS[column]])

    refused = await hand_in(registry, "members", text)

    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/rows-refused")
    assert places(refused.json()["report"]) == [(3, column)]
    assert refused.json()["report"]["file"] == "members.csv"
    assert await head(register) == before
    assert_untold(refused.text, CARD, NIK, OTHER_NIK, NAME, ACCOUNT)

    taken = await hand_in(registry, "members", text, partial=True)

    assert taken.status_code == 200, taken.text
    assert (taken.json()["accepted"], taken.json()["refused"]) == (1, 1)
    assert places(taken.json()) == [(3, column)]
    assert len((await register.state_of(CARD)).members) == 1
    assert_untold(taken.text, CARD, NIK, OTHER_NIK, NAME, ACCOUNT)


@pytest.mark.parametrize("column", ["bank_code", "facilitator_id", "group_id"])
async def test_a_column_that_is_kept_in_clear_takes_nobodys_number_and_no_name(
    registry: Door, register: Register, column: str
) -> None:
    for secret in (NIK, ACCOUNT, NAME):
        rows = [family(CARD, **{column: secret})]
        answer = await hand_in(registry, "families", as_csv("families", rows))
        assert places(answer.json()["report"]) == [(2, column)]
        assert_untold(answer.text, NIK, ACCOUNT, NAME)
    assert await head(register) == 0


DAYS = ("2023-01-05", "2023-01-06")
BORN = {"nik": OTHER_NIK, "name": NAME, "sex": "F", "birth_date": "2023-01-05"}
BAD_EVENTS = [
    ("type", life_event("WEDDING", CARD, *DAYS, nik=NIK)),
    ("effective_on", life_event("DEATH", CARD, NIK, "2023-01-06", nik=NIK)),
    ("effective_on", life_event("DEATH", CARD, "2023-01-07", "2023-01-06", nik=NIK)),
    ("effective_on", life_event("DEATH", CARD, "1990-05-04", "2023-01-06", nik=NIK)),
    ("effective_on", life_event("SCHOOL_CHANGE", CARD, "9999-12-31", "2023-01-06", nik=NIK)),
    ("effective_on", life_event("MOVE", CARD, "2024-01-06", "2023-01-06", region_code=REGION)),
    ("effective_on", life_event("BIRTH", CARD, "2023-01-04", "2023-01-06", **BORN)),
    ("reported_on", life_event("DEATH", CARD, "2023-01-05", "", nik=NIK)),
    ("reported_on", life_event("MOVE", CARD, "2023-01-05", "2100-01-01", region_code=REGION)),
    ("reported_on", life_event("MOVE", CARD, "1999-01-05", "1999-01-05", region_code=REGION)),
    ("nik", life_event("DEATH", CARD, *DAYS, nik=OTHER_NIK, name=NAME)),
    ("nik", life_event("DEATH", CARD, *DAYS)),
    ("nik", life_event("BIRTH", CARD, *DAYS, **BORN | {"nik": "6.10302E+15"})),
    ("region_code", life_event("MOVE", CARD, *DAYS, region_code=ACCOUNT)),
    ("new_payee_nik", life_event("PAYEE_CHANGE", CARD, *DAYS)),
    ("new_payee_nik", life_event("PAYEE_CHANGE", CARD, *DAYS, new_payee_nik=NIK[:15])),
    ("bank_code", life_event("PAYEE_CHANGE", CARD, *DAYS, new_payee_nik=NIK, bank_code=ACCOUNT)),
    ("account_no", life_event("PAYEE_CHANGE", CARD, *DAYS, new_payee_nik=NIK, account_no="3E+11")),
    ("sex", life_event("BIRTH", CARD, *DAYS, **BORN | {"sex": NIK})),
    ("birth_date", life_event("BIRTH", CARD, *DAYS, **BORN | {"birth_date": "20230105"})),
    ("birth_date", life_event("BIRTH", CARD, *DAYS, **BORN | {"birth_date": "2023-01-07"})),
    ("due_date", life_event("PREGNANCY", CARD, *DAYS, nik=NIK, due_date="9999-12-31")),
    ("due_date", life_event("PREGNANCY", CARD, *DAYS, nik=NIK, due_date="0001-01-01")),
    ("due_date", life_event("PREGNANCY", CARD, *DAYS, nik=NIK, due_date="2024-01-08")),
    ("due_date", life_event("PREGNANCY", CARD, *DAYS, nik=NIK)),
]


@pytest.mark.parametrize(("column", "row"), BAD_EVENTS)
async def test_a_bad_life_event_is_named_by_its_column(
    registry: Door, register: Register, column: str, row: dict[str, str]
) -> None:
    await handed_in(registry, "families", family(CARD, NIK))
    await handed_in(registry, "members", member(CARD, NIK))
    before = await head(register)

    answer = await hand_in(registry, "life-events", as_csv("life-events", [row]))

    assert places(answer.json()["report"]) == [(2, column)]
    assert await head(register) == before
    assert_untold(answer.text, CARD, NIK, OTHER_NIK, NAME, ACCOUNT)


@pytest.mark.parametrize("file", ["members", "life-events"])
async def test_a_row_of_an_unknown_card_is_refused(registry: Door, file: str) -> None:
    rows = {
        "members": member(CARD, NIK),
        "life-events": life_event("DEATH", CARD, "2023-01-05", "2023-01-06", nik=NIK),
    }

    answer = await hand_in(registry, file, as_csv(file, [rows[file]]))

    [error] = answer.json()["report"]["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "no_kk", "UNKNOWN_CARD")
    assert_untold(answer.text, CARD, NIK)


async def test_a_card_or_person_with_other_data_is_refused_and_keeps_what_it_had(
    registry: Door, register: Register
) -> None:
    await handed_in(registry, "families", family(CARD, NIK), family(OTHER_CARD))
    await handed_in(registry, "members", member(CARD, NIK))
    before = await register.state_of(CARD)

    moved = [family(OTHER_CARD), family(CARD, NIK, region_code="61.03.01.2027")]
    families = await hand_in(registry, "families", as_csv("families", moved), partial=True)
    people = [member(CARD, NIK, born="1991-01-01"), member(CARD, OTHER_NIK)]
    members = await hand_in(registry, "members", as_csv("members", people), partial=True)

    codes = [answer.json()["errors"][0]["code"] for answer in (families, members)]
    assert codes == ["REGISTERED_DIFFERENTLY"] * 2
    assert (places(families.json()), places(members.json())) == ([(3, "no_kk")], [(2, "nik")])
    after = await register.state_of(CARD)
    assert (after.region, after.members[:1]) == (before.region, before.members)
    assert len(after.members) == 2


async def test_a_number_of_the_wrong_length_is_taken_and_the_family_put_on_hold(
    registry: Door, register: Register
) -> None:
    await handed_in(registry, "families", family(CARD))
    await handed_in(registry, "members", member(CARD, NIK[:15], born="2020-08-17"))
    await register.announce()
    await eventually(register.closed)

    [designated] = await sent(register.store, "FamilyDesignated")
    assert (designated.body["status"], designated.body["reason"]) == ("HOLD", "INVALID_NIK")


def places(report: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    """Line and column of each refused row."""
    return [(error["line"], error["column"]) for error in report["errors"]]


def assert_untold(text: str, *secrets: str) -> None:
    """Nothing of what was planted is repeated."""
    assert [secret for secret in secrets if secret in text] == []
