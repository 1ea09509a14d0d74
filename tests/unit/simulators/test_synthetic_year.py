"""Invented years: repeatable, whole, of people who are nobody else, in flat memory."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from simulators.synthetic_year.files import COLUMNS, Year, complaints, write_year
from simulators.synthetic_year.places import WEST_KALIMANTAN, families_max, group_at

EXAMPLES = Path("examples/kalbar-2023")
BY_FAMILY = ("families.csv", "members.csv", "school_attendance.csv", "complaints.csv")
FAMILIES = 100


def written(directory: Path, families: int = FAMILIES, seed: int = 1, year: int = 2023) -> Path:
    directory.mkdir()
    write_year(directory, Year(families, year, seed, WEST_KALIMANTAN), lambda _: None)
    return directory


def column(year: Path, file: str, name: str) -> list[str]:
    with (year / file).open(newline="") as rows:
        return [row[name] for row in csv.DictReader(rows)]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("synthetic") / "year")


@pytest.mark.parametrize("file", sorted(COLUMNS))
def test_a_file_has_the_columns_of_the_sample_years_and_rows(file: str, year: Path) -> None:
    header, *rows = (year / file).read_text().splitlines()

    assert header == (EXAMPLES / file).read_text().splitlines()[0]
    assert rows


def test_the_same_seed_writes_the_same_bytes(year: Path, tmp_path: Path) -> None:
    again = written(tmp_path / "again")

    assert [(again / name).read_bytes() for name in COLUMNS] == [
        (year / name).read_bytes() for name in COLUMNS
    ]


def test_another_seed_writes_other_people(year: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other", seed=2)

    assert (other / "members.csv").read_bytes() != (year / "members.csv").read_bytes()


@pytest.mark.parametrize("file", BY_FAMILY)
def test_a_larger_year_begins_with_the_families_of_a_smaller(
    file: str, year: Path, tmp_path: Path
) -> None:
    smaller = written(tmp_path / "smaller", families=FAMILIES - 17)

    assert (year / file).read_text().startswith((smaller / file).read_text())


def numbers(year: Path) -> Sequence[str]:
    babies = [
        nik
        for nik, kind in zip(
            column(year, "life_events.csv", "nik"),
            column(year, "life_events.csv", "type"),
            strict=True,
        )
        if kind == "BIRTH"
    ]
    return column(year, "members.csv", "nik") + babies


def test_no_two_people_and_no_two_cards_share_a_number(tmp_path: Path) -> None:
    # Enough families that the groups of one district stand beside each other.
    year = written(tmp_path / "year", families=28 * 14 * 4)
    people, cards = numbers(year), column(year, "families.csv", "no_kk")

    assert len({*people}) == len(people)
    assert len({*cards}) == len(cards)
    assert {len(number) for number in (*people, *cards)} == {16}


def test_a_number_says_the_day_of_birth_and_a_woman_s_day_is_40_more(year: Path) -> None:
    with (year / "members.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            day = int(row["birth_date"][8:]) + (40 if row["sex"] == "F" else 0)
            assert row["nik"][6:12] == f"{day:02}{row['birth_date'][5:7]}{row['birth_date'][2:4]}"


def test_all_that_is_told_is_told_of_people_and_families_who_are_there(year: Path) -> None:
    people, cards = {*numbers(year)}, {*column(year, "families.csv", "no_kk")}
    groups = {*column(year, "families.csv", "group_id")}
    sessions = {*column(year, "p2k2_sessions.csv", "session_id")}

    assert {*column(year, "members.csv", "no_kk")} == cards
    assert {*column(year, "families.csv", "payee_nik")} <= people
    assert {*column(year, "school_attendance.csv", "nik")} <= people
    assert {*column(year, "health_verification.csv", "nik")} <= people
    assert {*column(year, "life_events.csv", "no_kk")} <= cards
    assert {*column(year, "p2k2_sessions.csv", "group_id")} == groups
    assert {*column(year, "p2k2_attendance.csv", "session_id")} == sessions
    assert {*column(year, "complaints.csv", "no_kk")} <= cards | {""}


def test_memory_does_not_grow_with_the_year(tmp_path: Path) -> None:
    def peak(families: int) -> int:
        tracemalloc.start()
        written(tmp_path / str(families), families)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(28)  # what is loaded once

    assert peak(28 * 20) < 1.5 * peak(28 * 2)


def test_complaints_alone_are_one_of_every_family_as_its_year_would_have_them() -> None:
    wanted = Year(FAMILIES, 2023, 1, WEST_KALIMANTAN)

    columns = COLUMNS["complaints.csv"].split(",")

    rows = [dict(zip(columns, row, strict=True)) for row in complaints(wanted)]

    assert [*complaints(wanted)] == [tuple(row.values()) for row in rows]
    assert len({row["complaint_no"] for row in rows}) == FAMILIES
    assert {row["region_code"] for row in rows} <= {
        group_at(index, WEST_KALIMANTAN).village for index in range(FAMILIES)
    }


def test_the_last_family_that_has_a_number_lives_in_the_last_place() -> None:
    last = families_max(WEST_KALIMANTAN) // 28 - 1
    group = group_at(last, WEST_KALIMANTAN)

    assert (group.regency, group.district) == ("61.72", "617299")
    assert group.serial_of_person(28 * 8 - 1) <= 9_999
