"""Files of complaints: whole or not at all, each wrong row named, cases as they stood on a day."""

from __future__ import annotations

import csv

import pytest

from libs.events.store.postgres import Store
from tests.doors import Door, sent
from tests.integration.complaints.files import complaint, hand_in, refusals, standings, sweep
from tests.integration.complaints.kit import SCOPES, seen
from tests.sample_years import EXAMPLES


async def test_a_complaint_is_taken_once_and_names_nobody(complaints: Door, store: Store) -> None:
    row = complaint(resolved_at="2023-04-10T00:00:00", resolution="UPHELD")

    first = await hand_in(complaints, row)
    again = await hand_in(complaints, row)

    assert [(each["accepted"], each["unchanged"]) for each in (first, again)] == [(1, 0), (0, 1)]
    messages = await sent(store)
    assert [message.type for message in messages] == [
        "CaseReceived",
        "CaseEscalated",
        "CaseResolved",
    ]
    for message in messages:
        assert b"C000001" not in message.value
        assert b"6108062002180001" not in message.value


async def test_a_complaint_that_was_open_is_resolved_by_a_later_file(complaints: Door) -> None:
    await hand_in(complaints, complaint())

    report = await hand_in(
        complaints, complaint(resolved_at="2023-04-05T10:00:00", resolution="REFERRED")
    )

    assert (report["accepted"], report["refused"]) == (1, 0)
    assert (await standings(complaints))["C000001"] == {
        **(await standings(complaints))["C000001"],
        "level": "DISTRICT",
        "status": "RESOLVED",
        "resolution": "REFERRED",
        "overdue": False,
    }


WRONG = [
    ({"complaint_no": ""}, "complaint_no", "MISSING"),
    ({"complaint_no": "c 1"}, "complaint_no", "NOT_AN_ID"),
    ({"received_at": ""}, "received_at", "MISSING"),
    ({"received_at": "2023-03-30"}, "received_at", "NOT_A_TIME"),
    ({"received_at": "2023-02-30T10:00:00"}, "received_at", "NOT_A_TIME"),
    ({"received_at": "2023-03-30T10:00:00Z"}, "received_at", "NOT_A_TIME"),
    ({"received_at": "2099-03-30T10:00:00"}, "received_at", "IN_FUTURE"),
    ({"received_at": "2022-12-01T10:00:00"}, "received_at", "HOLIDAYS_UNKNOWN"),
    ({"channel": "PIGEON"}, "channel", "CHANNEL_UNKNOWN"),
    ({"category": "WEATHER"}, "category", "CATEGORY_UNKNOWN"),
    ({"anonymous": "X"}, "anonymous", "NOT_YES_OR_NO"),
    ({"anonymous": "Y"}, "no_kk", "NAMES_A_FAMILY"),
    ({"no_kk": "61080620021800"}, "no_kk", "NOT_16_DIGITS"),
    ({"region_code": "61.08.06"}, "region_code", "NOT_A_VILLAGE"),
    ({"resolution": "UPHELD"}, "resolution", "NOT_RESOLVED"),
    ({"resolved_at": "2023-04-10T10:00:00"}, "resolution", "RESOLUTION_UNKNOWN"),
    (
        {"resolved_at": "2023-03-29T10:00:00", "resolution": "UPHELD"},
        "resolved_at",
        "RESOLVED_BEFORE_RECEIVED",
    ),
]


async def test_a_wrong_complaint_is_named_and_takes_no_other_with_it(
    complaints: Door, store: Store
) -> None:
    rows = [
        complaint(**{"complaint_no": f"C{n}", **wrong}) for n, (wrong, _, _) in enumerate(WRONG)
    ]
    named = [(line, column, code) for line, (_, column, code) in enumerate(WRONG, 3)]

    whole = await hand_in(complaints, complaint(), *rows)
    assert refusals(whole) == named
    assert await sent(store) == []  # refused whole
    partly = await hand_in(complaints, complaint(), *rows, partial=True)

    assert (partly["accepted"], partly["refused"]) == (1, len(WRONG))
    assert refusals(partly) == named


async def test_another_complaint_of_a_number_and_another_resolution_are_refused(
    complaints: Door,
) -> None:
    upheld = {"resolved_at": "2023-04-05T10:00:00", "resolution": "UPHELD"}
    await hand_in(complaints, complaint(**upheld))

    report = await hand_in(
        complaints,
        complaint(channel="SMS"),
        complaint(**(upheld | {"resolution": "REJECTED"})),
        partial=True,
    )

    assert refusals(report) == [
        (2, "complaint_no", "RECEIVED_DIFFERENTLY"),
        (3, "resolved_at", "RESOLVED_DIFFERENTLY"),
    ]


WITH_TEXT = "complaint_no,received_at,channel,category,anonymous,region_code,text"


def worded(text: str, number: str = "C1") -> str:
    """A complaint in somebody's own words."""
    return f"{number},2026-03-30T10:00:00,WEB,OTHER,Y,61.03.01.2026,{text}"


async def test_words_in_a_file_are_kept_sealed_and_shown_to_whoever_reads_the_case(
    complaints: Door, store: Store
) -> None:
    text = "Nobody answers at the kelurahan."

    first = await hand_in(complaints, worded(text), header=WITH_TEXT)
    again = await hand_in(complaints, worded(text), header=WITH_TEXT)

    assert [(each["accepted"], each["unchanged"]) for each in (first, again)] == [(1, 0), (0, 1)]
    assert first["warnings"] == []
    clerk = complaints.who("clerk-1", *SCOPES)
    [case] = (await complaints.client.get("/cases", headers=clerk)).json()["items"]
    words = await seen(complaints, case["case"], clerk, "/words")
    assert [(each["kind"], each["words"]) for each in words["entries"]] == [("TEXT", text)]
    events = await store.pool.fetchval("SELECT string_agg(e::text, ' ') FROM events AS e")
    assert "StatementTaken" in events
    assert text not in events
    assert text.encode().hex() not in events


async def test_words_that_do_not_fit_are_refused_and_take_no_other_row_with_them(
    complaints: Door,
) -> None:
    unfit = ["<b>Nobody</b> answers.", "Nobody\x07answers.", "x" * 4_001]
    rows = [worded(text, f"C{number}") for number, text in enumerate(unfit)]

    report = await hand_in(complaints, worded("Fits.", "C9"), *rows, header=WITH_TEXT, partial=True)

    assert report["accepted"] == 1
    assert refusals(report) == [
        (4, "text", "CHARACTERS"),  # no file has one, whatever the column is
        (3, "text", "TEXT_UNFIT"),
        (5, "text", "TEXT_TOO_LONG"),
    ]


async def test_a_complaint_of_another_region_is_neither_taken_nor_shown(complaints: Door) -> None:
    await hand_in(complaints, complaint(), regions=("61.08",))

    for regions in (("61.09",), ("11",), ()):
        foreign = await hand_in(complaints, complaint("C2"), regions=regions, partial=True)
        assert refusals(foreign) == [(2, "region_code", "REGION_NOT_YOURS")]
        assert await standings(complaints, regions=regions) == {}
    assert list(await standings(complaints, regions=("61.08.06",))) == ["C000001"]


@pytest.mark.parametrize("year", ["kalbar-small", "kalbar-2025"])
async def test_a_sample_year_s_cases_stand_as_expected(complaints: Door, year: str) -> None:
    folder = EXAMPLES / year
    closing = f"{folder.name.replace('small', '2023')[-4:]}-12-31"
    header, *rows = (folder / "complaints.csv").read_text().splitlines()
    report = await hand_in(complaints, *rows, header=header)
    assert report["accepted"] == len(rows)
    await sweep(complaints, closing)

    found = await standings(complaints, closing)

    with (folder / "expected" / "cases.csv").open(newline="") as file:
        expected = [*csv.DictReader(file)]
    assert [cells(found[row["complaint_no"]]) for row in expected] == expected
    assert len(found) == len(expected)


def cells(item: dict[str, object]) -> dict[str, str]:
    """A standing as the columns of cases.csv say it."""
    named = {"complaint_no": item["reference"], "overdue": "Y" if item["overdue"] else "N"}
    rest = ("start_level", "level", "due_on", "escalations", "status", "resolution")
    return {**{name: str(item[name]) for name in rest}, **{k: str(v) for k, v in named.items()}}
