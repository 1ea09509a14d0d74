"""Categories, channels, terms, holidays and zones: dated, whole, refused if they say too little."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest

from libs.policy.files import PolicyError
from services.complaints import policy
from services.complaints.domain.deadlines import LEVELS

POLICIES = policy.load()
TODAY = date(2023, 1, 5)
DECREED = POLICIES.ladder.working.holidays


def test_cases_begin_at_the_district_but_for_those_of_cuts_and_of_facilitators() -> None:
    categories = POLICIES.categories_on(TODAY)

    higher = {code for code, category in categories.items() if category.start != "DISTRICT"}
    shown = {code for code, category in categories.items() if category.shown_to == ["NATION"]}
    assert higher == shown == {"LEVY", "FACILITATOR_CONDUCT"}
    assert {categories[code].start for code in higher} == {"REGENCY"}


def test_every_way_in_has_its_channel() -> None:
    assert POLICIES.channels_on(TODAY).keys() == {
        *("CALL_CENTER", "WEB", "SMS", "EMAIL", "SOCIAL_MEDIA", "BANK", "FACE_TO_FACE"),
        *("DROPBOX", "OPERATOR", "LAPOR"),
    }


def test_the_first_categories_hold_for_what_came_before_them() -> None:
    assert POLICIES.categories_on(date(2013, 1, 1)) == POLICIES.categories_on(TODAY)


def test_each_level_has_its_term() -> None:
    [terms] = POLICIES.ladder.terms.values()
    assert [terms[level] for level in LEVELS] == [5, 10, 14, 30]


def test_the_years_of_known_decrees() -> None:
    assert {year: len(days) for year, days in DECREED.items()} == {
        2023: 16,
        2024: 19,  # with two elections
        2025: 17,
        2026: 17,
        2027: 18,  # with two Isra Mikraj
    }


def test_the_library_of_holidays_knows_no_other_days_than_the_decrees() -> None:
    """The decrees decide; where the library says otherwise, one of the two has to be mended."""
    kept = holidays.country_holidays("ID", years=DECREED)

    assert set(kept) ^ {day for days in DECREED.values() for day in days} == set()


def test_every_province_has_a_zone() -> None:
    zoned = {name: len(zone.provinces) for name, zone in POLICIES.zones.items()}

    assert zoned == {"WIB": 18, "WITA": 12, "WIT": 8}  # all 38, each in one


@pytest.mark.parametrize("zone", POLICIES.zones.values(), ids=POLICIES.zones)
def test_a_zone_is_as_far_from_utc_as_the_world_s_list_says(zone: policy.Zone) -> None:
    for year in DECREED:
        for month in range(1, 13):
            noon = datetime(year, month, 15, 12, tzinfo=UTC)
            offset = noon.astimezone(ZoneInfo(zone.name)).utcoffset()
            assert offset == timedelta(hours=zone.hours)


@pytest.mark.parametrize(
    ("region", "before_midnight"),
    [("61.08.06.2018", 17), ("73.01.01.2001", 16), ("91.01.01.2001", 15), ("", 17)],
    ids=["Pontianak", "Makassar", "Jayapura", "a region that nobody knows"],
)
def test_a_day_begins_at_the_midnight_of_the_case_s_province(
    region: str, before_midnight: int
) -> None:
    midnight = datetime(2023, 3, 21, before_midnight, tzinfo=UTC)
    second = timedelta(seconds=1)

    assert POLICIES.local_day(midnight - second, region) == date(2023, 3, 21)
    assert POLICIES.local_day(midnight, region) == date(2023, 3, 22)


@pytest.mark.parametrize(
    ("file", "written", "instead", "message"),
    [
        ("ladder.yaml", ", NATION: 30", "", "values.2021-01-01.NATION: is missing"),
        ("ladder.yaml", "NATION: 30", "NATION: 0", ">= 1"),
        ("holidays.yaml", "2023-12-25: Hari", "2024-12-25: Hari", "is another year's"),
        ("time_zones.yaml", '"51", ', '"51", "61", ', "61: is in two zones"),
        ("time_zones.yaml", "  WIB:", "  WEST:", "WIB: is missing"),
        ("categories.yaml", "start: REGENCY", "start: VILLAGE", "VILLAGE"),
    ],
)
def test_a_file_that_says_too_little_or_too_much_is_refused(
    tmp_path: Path, file: str, written: str, instead: str, message: str
) -> None:
    folder = Path(shutil.copytree(policy.FOLDER, tmp_path / "policy"))
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(written, instead, 1))

    with pytest.raises(PolicyError, match=f"{file}: .*{message}"):
        policy.load(folder)
