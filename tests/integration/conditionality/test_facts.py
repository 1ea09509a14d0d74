"""Facts of schools and health facilities, by file and by request: the latest of a key counts."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from services.conditionality.contract import PERSON
from services.conditionality.domain.person import SERVICES, Attendance, Person
from tests.doors import YEAR, Door, sent
from tests.integration.conditionality.kit import Bench

RECORD = "conditionality:record"
NIK, OTHER_NIK = "6104110811150004", "6104110811150005"
SCHOOL_HEADER = "npsn,nisn,nik,month,effective_days,absent,permitted,sick"
FORM_HEADER = "npsn,nisn,nik,first_month," + ",".join(
    f"{name}_{month}"
    for month in (1, 2, 3)
    for name in ("effective_days", "absent", "permitted", "sick")
)
HEADERS = {"school-attendance": SCHOOL_HEADER, "school-form": FORM_HEADER}
HEALTH_HEADER = "facility_code,nik,month,service,attended,service_date"
FILES = {
    "school-attendance": YEAR / "school_attendance.csv",
    "health-verification": YEAR / "health_verification.csv",
}


def school(nik: str = NIK, month: str = "2023-01", days: str = "20,1,0,0") -> str:
    return f"30141147,0000000001,{nik},{month},{days}"


def form(
    nik: str = NIK,
    first: str = "2023-01",
    one: str = "20,1,0,0",
    two: str = "18,0,2,0",
    three: str = "21,0,0,0",
) -> str:
    return f"30141147,0000000001,{nik},{first},{one},{two},{three}"


def visit(
    nik: str = NIK, month: str = "2023-01", service: str = "WEIGHING", came: str = "Y"
) -> str:
    return f"PKM611205,{nik},{month},{service},{came},2023-01-19"


async def hand_in(
    door: Door, file: str, *rows: str, key: str | None = None, partial: bool = False
) -> httpx.Response:
    header = HEADERS.get(file, HEALTH_HEADER)
    text = "\r\n".join((header, *rows)) + "\r\n"
    query = {"partial": "true"} if partial else {}
    who = door.who("school-1", RECORD)
    return await door.post(f"/imports/{file}", who, key=key, params=query, content=text)


async def report(door: Door, path: str, *, key: str | None = None, **body: Any) -> httpx.Response:
    return await door.post(path, door.who("school-1", RECORD), key=key, json=body)


def month_body(**changes: Any) -> dict[str, Any]:
    days = {"effective_days": 20, "absent": 1, "permitted": 0, "sick": 0}
    return {"nik": NIK, "month": "2023-01"} | days | changes


async def person(bench: Bench, nik: str = NIK) -> Person:
    stream_id = f"person-{bench.pseudonymizer.nik(nik)}"
    return (await bench.store.read(PERSON, [stream_id]))[stream_id].state


async def test_a_row_of_a_person_whose_facts_cannot_be_read_stops_no_other_row(
    bench: Bench, conditionality: Door
) -> None:
    await hand_in(conditionality, "school-attendance", school())
    stream = f"person-{bench.pseudonymizer.nik(NIK)}"
    await bench.store.pool.execute("UPDATE streams SET state = '[]' WHERE stream_id = $1", stream)
    rows = school(month="2023-02"), school(OTHER_NIK)
    answer = await hand_in(conditionality, "school-attendance", *rows, partial=True)

    report = answer.json()
    assert (report["accepted"], report["refused"]) == (1, 1)
    [error] = report["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "nik", "CANNOT_BE_TAKEN")


async def test_a_years_files_are_taken_and_the_same_again_change_nothing(
    conditionality: Door, bench: Bench
) -> None:
    counted = {}
    for file, path in FILES.items():
        _, *rows = path.read_text(encoding="utf-8").splitlines()
        answer = await hand_in(conditionality, file, *rows)
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] + answer.json()["unchanged"] == len(rows)
        counted[file] = rows
    before = await bench.head()

    for file, rows in counted.items():
        answer = await hand_in(conditionality, file, *rows)
        assert int(answer.headers["Position"]) == before
    assert await bench.head() == before
    assert await sent(bench.store) == []  # who missed school stays inside


async def test_a_later_row_of_the_same_key_takes_the_place_of_the_earlier(
    conditionality: Door, bench: Bench
) -> None:
    within = [school(days="20,9,0,0"), school(month="2023-02"), school(days="20,2,0,0")]
    first = await hand_in(conditionality, "school-attendance", *within)
    assert (first.json()["accepted"], first.json()["unchanged"]) == (2, 1)
    assert (await person(bench)).school["2023-01"] == Attendance(20, 2, 0, 0)

    again = await hand_in(conditionality, "school-attendance", *within[1:])
    assert (again.json()["accepted"], again.json()["unchanged"]) == (0, 2)
    later = await hand_in(conditionality, "school-attendance", school(days="20,0,0,3"))
    assert (later.json()["accepted"], later.json()["unchanged"]) == (1, 0)
    assert (await person(bench)).school["2023-01"] == Attendance(20, 0, 0, 3)


async def test_a_form_of_three_months_says_what_three_rows_say(
    conditionality: Door, bench: Bench
) -> None:
    first = await hand_in(conditionality, "school-form", form(first="2023-11"))
    assert (first.json()["accepted"], first.json()["unmatched"]) == (3, 3)
    assert (await person(bench)).school == {
        "2023-11": Attendance(20, 1, 0, 0),
        "2023-12": Attendance(18, 0, 2, 0),
        "2024-01": Attendance(21, 0, 0, 0),
    }

    row = school(month="2023-12", days="18,0,2,0")
    same = await hand_in(conditionality, "school-attendance", row)
    again = await hand_in(conditionality, "school-form", form(first="2023-11"))
    assert (same.json()["unchanged"], again.json()["unchanged"]) == (1, 3)
    assert await bench.head() == 1


async def test_a_month_that_a_form_leaves_empty_stays_as_it_was(
    conditionality: Door, bench: Bench
) -> None:
    await hand_in(conditionality, "school-attendance", school(month="2023-02", days="19,4,0,0"))

    answer = await hand_in(conditionality, "school-form", form(two=",,,", three=",,,"))

    assert answer.json()["accepted"] == 1
    assert (await person(bench)).school == {
        "2023-01": Attendance(20, 1, 0, 0),
        "2023-02": Attendance(19, 4, 0, 0),
    }


async def test_every_service_of_the_programme_can_be_reported_in_every_year(
    conditionality: Door, bench: Bench
) -> None:
    rows = [visit(service=service) for service in sorted(SERVICES)]

    await hand_in(conditionality, "health-verification", *rows)

    assert (await person(bench)).visits.keys() == SERVICES


async def test_a_visit_is_kept_by_month_and_service(conditionality: Door, bench: Bench) -> None:
    rows = [visit(), visit(came="N"), visit(service="HOME_VISIT"), visit(month="2023-02")]
    await hand_in(conditionality, "health-verification", *rows)

    assert (await person(bench)).visits == {
        "WEIGHING": {"2023-01": False, "2023-02": True},
        "HOME_VISIT": {"2023-01": True},
    }


async def test_requests_and_files_speak_of_the_same_person(
    conditionality: Door, bench: Bench
) -> None:
    await hand_in(conditionality, "school-attendance", school())
    before = await bench.head()

    same = await report(conditionality, "/school-months", **month_body())
    assert (same.status_code, await bench.head()) == (200, before)

    corrected = await report(conditionality, "/school-months", **month_body(absent=7))
    assert int(corrected.headers["Position"]) == await bench.head() == before + 1
    assert (await person(bench)).school["2023-01"] == Attendance(20, 7, 0, 0)
    visit_body: dict[str, Any] = {
        "nik": NIK,
        "month": "2023-01",
        "service": "WEIGHING",
        "attended": True,
    }
    await report(conditionality, "/visits", **visit_body)
    assert (await person(bench)).visits == {"WEIGHING": {"2023-01": True}}


async def test_a_request_sent_again_has_one_effect(conditionality: Door, bench: Bench) -> None:
    for _ in range(2):
        answer = await report(conditionality, "/school-months", key="once", **month_body())
        assert (answer.status_code, answer.json()) == (200, {"matched": False})
    assert await bench.head() == 1

    other = await report(conditionality, "/school-months", key="once", **month_body(absent=3))
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert await bench.head() == 1


GOOD_ROWS = {"school-attendance": school(nik=OTHER_NIK), "school-form": form(nik=OTHER_NIK)}
BAD_ROWS = [
    ("school-attendance", "effective_days", school(days=f"{NIK},0,0,0")),
    ("school-attendance", "effective_days", school(days="32,0,0,0")),
    ("school-attendance", "effective_days", school(days="٢٠,0,0,0")),
    ("school-attendance", "absent", school(days="20,-1,0,0")),
    ("school-attendance", "absent+permitted+sick", school(days="20,9,9,9")),
    ("school-attendance", "month", school(month=OTHER_NIK)),
    ("school-attendance", "month", school(month="0001-01")),
    ("school-attendance", "month", school(month="2023-1")),
    ("school-attendance", "nik", school(nik="")),
    ("school-attendance", "nik", school(nik="6.10302E+15")),
    ("school-attendance", "nik", school(nik=NIK[:15])),
    ("school-attendance", "nik", school(nik=f" {NIK}")),
    ("school-attendance", "nik", school(nik=f"{NIK}\u200b")),
    ("school-attendance", "nik", school(nik=f"\uff16{NIK[1:]}")),
    ("school-attendance", "npsn", school().replace("30141147", "3.01E+07")),
    ("school-form", "first_month", form(first=OTHER_NIK)),
    ("school-form", "first_month", form(first="2023-1")),
    ("school-form", "first_month", form(first="")),
    ("school-form", "first_month", form(first="2100-11")),
    ("school-form", "effective_days_1", form(one=",,,", two=",,,", three=",,,")),
    ("school-form", "absent_2", form(two="20,,0,0")),
    ("school-form", "effective_days_3", form(three=f"{NIK},0,0,0")),
    ("school-form", "sick_3", form(three="20,0,0,32")),
    ("school-form", "absent_3+permitted_3+sick_3", form(three="20,9,9,9")),
    ("school-form", "nik", form(nik=NIK[:15])),
    ("school-form", "nik", form(nik="")),
    ("school-form", "nisn", form().replace("0000000001", "1")),
    ("health-verification", "attended", visit(came=OTHER_NIK)),
    ("health-verification", "service", visit(service=OTHER_NIK)),
    ("health-verification", "service", visit(service="P2K2")),
    ("health-verification", "service", visit(service="DENTIST")),
    ("health-verification", "month", visit(month="2023-13")),
    ("health-verification", "nik", visit(nik="0003200303800ABC")),
    ("health-verification", "facility_code", visit().replace("PKM611205", NIK)),
    ("health-verification", "service_date", visit().replace("2023-01-19", "20230119")),
]


@pytest.mark.parametrize(("file", "column", "row"), BAD_ROWS)
async def test_a_bad_row_is_named_and_refuses_the_file_unless_part_of_it_is_wanted(
    conditionality: Door, bench: Bench, file: str, column: str, row: str
) -> None:
    good = GOOD_ROWS.get(file, visit(nik=OTHER_NIK))
    rows = [good, row]

    refused = await hand_in(conditionality, file, *rows)
    assert refused.status_code == 422
    [error] = refused.json()["report"]["errors"]
    assert (error["line"], error["column"]) == (3, column)
    assert await bench.head() == 0

    taken = await hand_in(conditionality, file, *rows, partial=True)
    facts = 3 if file == "school-form" else 1
    assert (taken.json()["accepted"], taken.json()["refused"]) == (facts, 1)
    for answer in (refused, taken):
        assert NIK not in answer.text
        assert OTHER_NIK not in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"month": NIK},
        {"effective_days": NIK},
        {"absent": -1},
        {"absent": 9, "permitted": 9, "sick": 9},
        {"nik": ""},
        {"nik": "   "},
        {"nik": f"{NIK} "},
        {"nik": "6.10302E+15"},
        {"nik": f"\uff16{NIK[1:]}"},
        {"month": "٢٠٢٣-٠١"},
        {"month": "0001-01"},
        {"effective_days": 20.0},
        {"effective_days": "20"},
        {"absent": True},
        {"absent": 2**63},
        {NIK: NIK},
    ],
)
async def test_a_request_that_can_not_be_true_is_refused_and_not_quoted(
    conditionality: Door, bench: Bench, changes: dict[str, Any]
) -> None:
    answer = await report(conditionality, "/school-months", **month_body(**changes))

    assert answer.status_code in (409, 422)
    assert NIK not in answer.text
    assert await bench.head() == 0


async def test_a_number_that_a_spreadsheet_rounded_is_refused_as_often_as_it_stands(
    conditionality: Door, bench: Bench
) -> None:
    rows = [school(nik="6.10302E+15", days=days) for days in ("20,1,0,0", "20,9,0,0")]

    answer = await hand_in(conditionality, "school-attendance", *rows)

    found = [(each["line"], each["column"]) for each in answer.json()["report"]["errors"]]
    assert (answer.status_code, found) == (422, [(2, "nik"), (3, "nik")])
    assert await bench.head() == 0


async def test_one_file_from_two_at_once_is_recorded_once(
    conditionality: Door, bench: Bench
) -> None:
    rows = [school(nik=f"61041108111{number:05}") for number in range(300)]

    answers = await asyncio.gather(
        *(hand_in(conditionality, "school-attendance", *rows) for _ in range(2))
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert sum(answer.json()["accepted"] for answer in answers) == len(rows)
    assert await bench.head() == len(rows)
