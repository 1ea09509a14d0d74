from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.client.year import CALENDAR_COLUMNS, cards_in_order, chosen, read_calendar, rows
from cli.demo.investigating import findings_of
from cli.errors import Failed

EXAMPLES = Path(__file__).parents[3] / "examples"
HEADER = "tahap,covers_from,covers_to,closing_date,account_check_date,credit_date"
FIRST = "1,2023-01,2023-03,2023-03-31,2023-04-05,2023-04-20"


def calendar(directory: Path, *lines: str) -> Path:
    (directory / "calendar.csv").write_text("\r\n".join([HEADER, *lines, ""]))
    return directory


def test_the_sample_year_has_four_tahaps_of_three_months() -> None:
    tahaps = read_calendar(EXAMPLES / "kalbar-2023")

    assert [tahap.id for tahap in tahaps] == ["2023-1", "2023-2", "2023-3", "2023-4"]
    assert tahaps[3].months == ("2023-10", "2023-11", "2023-12")
    assert tahaps[3].credit_date == date(2024, 1, 20)


def test_months_may_run_over_the_turn_of_a_year(tmp_path: Path) -> None:
    [tahap] = read_calendar(
        calendar(tmp_path, "1,2023-11,2024-01,2024-01-31,2024-02-05,2024-02-20")
    )

    assert tahap.months == ("2023-11", "2023-12", "2024-01")
    assert tahap.id == "2023-1"


def test_tahaps_are_run_in_the_order_of_their_months(tmp_path: Path) -> None:
    second = "2,2023-04,2023-06,2023-06-30,2023-07-05,2023-07-20"

    tahaps = read_calendar(calendar(tmp_path, second, FIRST))

    assert [tahap.number for tahap in tahaps] == [1, 2]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (FIRST.replace("2023-03-31", "31/03/2023"), "line 2: closing_date is no date"),
        (FIRST.replace("2023-03-31", "20230331"), "line 2: closing_date is no date"),
        (FIRST.replace("2023-03-31", "9999-12-31"), "line 2: closing_date is no date"),
        (FIRST.replace("2023-03-31", '"2023-03-31\n"'), "line 3: a line end within quotes"),
        (FIRST.replace("2023-03,", "٢٠٢٣-٠٣,"), "line 2: covers_from..covers_to"),
        (FIRST.replace("2023-03,", "2022-12,"), "line 2: covers_from..covers_to"),
        (FIRST.replace("1,", "one,", 1), "line 2: tahap is no number"),
    ],
)
def test_a_wrong_cell_is_told_by_its_line_and_column(
    tmp_path: Path, line: str, expected: str
) -> None:
    with pytest.raises(Failed, match=expected):
        read_calendar(calendar(tmp_path, line))


def test_a_year_without_a_calendar_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"calendar\.csv is missing"):
        read_calendar(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "numbers"), [(None, [1, 2, 3, 4]), ("1-2", [1, 2]), ("3", [3]), ("2-9", [2, 3, 4])]
)
def test_a_range_chooses_tahaps(wanted: str | None, numbers: list[int]) -> None:
    tahaps = read_calendar(EXAMPLES / "kalbar-small")

    assert [tahap.number for tahap in chosen(tahaps, wanted)] == numbers


@pytest.mark.parametrize("wanted", ["first", "7", "2-1", "-1"])
def test_a_range_that_names_no_tahap_is_refused(wanted: str) -> None:
    with pytest.raises(Failed, match="--tahap"):
        chosen(read_calendar(EXAMPLES / "kalbar-small"), wanted)


def test_families_come_in_the_order_of_their_file() -> None:
    cards = list(cards_in_order(EXAMPLES / "kalbar-small"))

    assert len(cards) == 200
    assert cards[0] == "6110022501190001"


NOBODY = "3201011203850001"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"no_kk,outcome\n{NOBODY},\xff\n".encode("latin-1"), "is not UTF-8 behind line"),
        (f"no_kk,outcome\n{NOBODY}\n".encode(), "line 2: not as many cells as columns"),
        (f"no_kk,outcome\n{NOBODY},A,B\n".encode(), "line 2: not as many cells as columns"),
        (f'no_kk,outcome\n"{NOBODY},CONFIRMED\n'.encode(), "is no CSV behind line 1"),
        (b"no_kk\n", "the header lacks outcome"),
    ],
)
def test_a_broken_file_is_told_by_its_line_and_nothing_that_stands_in_it(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "investigations.csv"
    path.write_bytes(content)

    with pytest.raises(Failed, match=expected) as refusal:
        list(rows(path, ["no_kk", "outcome"]))

    assert NOBODY not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    with pytest.raises(Failed):
        findings_of(tmp_path)


CELL = st.one_of(st.text(max_size=12), st.dates().map(str), st.sampled_from(["²", "2023-01", ""]))
CALENDARS = st.lists(st.lists(CELL, min_size=5, max_size=7).map(",".join)).map(
    lambda lines: "\n".join([",".join(CALENDAR_COLUMNS), *lines]).encode()
)


@given(content=st.binary() | CALENDARS)
def test_whatever_stands_in_a_calendar_it_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    directory = tmp_path_factory.getbasetemp()
    (directory / "calendar.csv").write_bytes(content)

    with suppress(Failed):
        assert read_calendar(directory)
