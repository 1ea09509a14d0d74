"""Rows of the registry's files: what a cell may say, and that whole years say nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from libs.chassis.csv_upload import ImportReport
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.sealing import FamilyKey, Sealer
from services.registry.http import csv_facts
from services.registry.http.csv_cells import OCCUPATIONS
from services.registry.http.csv_rows import FamilyCells, LifeEventCells, MemberCells, checked
from services.registry.policy import load_rule_sets
from tests.unit.registry.sample_year import rows

YEARS: Final = sorted(Path("examples").glob("kalbar-*"))
TODAY: Final = date(2023, 6, 1)
CARD, NIK = "6103010101010001", "6103014505900001"
A_FAMILY: Final = {
    "no_kk": CARD,
    "dtks_id": "DTKS-1",
    "dtks": "Y",
    "decile": "1",
    "region_code": "61.03.01.2026",
    "address": "JL. MELATI NO. 7",
    "rt": "001",
    "rw": "002",
    "payee_nik": NIK,
    "bank_code": "BNI",
    "account_no": "300000000003",
    "account_name": "ROSITA DJAFAR",
    "facilitator_id": "PD610301",
    "group_id": "G6103012026-1",
}
A_MEMBER: Final = {
    "no_kk": CARD,
    "nik": NIK,
    "name": "ROSITA DJAFAR",
    "sex": "F",
    "birth_date": "1990-05-05",
    "relationship": "HEAD",
    "occupation": "",
    "school_level": "",
    "npsn": "",
    "nisn": "",
    "severe_disability": "N",
    "pregnancy_due_date": "",
    "pregnancy_order": "",
}


def errors(kind: type[Any], row: Mapping[str, str]) -> list[tuple[str, str]]:
    """(column, code) of what is wrong with a row."""
    report = ImportReport("file.csv")
    checked(kind, [(2, {"evidence": "", **row})], report, TODAY)
    return [(error.column, error.code) for error in report.errors]


@pytest.mark.parametrize("document", ["", "BA-12/2023", "KK_2023.7"])
def test_a_document_is_named_by_its_number(document: str) -> None:
    assert errors(MemberCells, A_MEMBER | {"evidence": document}) == []


@pytest.mark.parametrize("document", [NIK, "SURAT ROSITA", "BA", f"BA{NIK}"])
def test_nobody_stands_in_a_documents_number(document: str) -> None:
    found = errors(MemberCells, A_MEMBER | {"evidence": document})

    assert found == [("evidence", "NOT_AN_EVIDENCE")]


UNLIKE_A_NUMBER: Final = (
    *("6.10302E+15", "6103014505900001 ", " 6103014505900001", "6103 0145 0590 0001"),
    *("'6103014505900001", "+610301450590001", "6103014505900001.0", "6103014505900001\n"),
    *("\uff16103014505900001", "٦١٠٣٠١٤٥٠٥٩٠٠٠٠١", "610301450590000\u200b1"),
)


@pytest.mark.parametrize("number", [*UNLIKE_A_NUMBER, "", NIK[:15], f"{NIK}1", "0003200303800ABC"])
def test_a_cards_number_has_16_digits(number: str) -> None:
    assert [column for column, _ in errors(FamilyCells, A_FAMILY | {"no_kk": number})] == ["no_kk"]


@pytest.mark.parametrize("number", UNLIKE_A_NUMBER)
def test_a_members_number_in_another_form_is_refused(number: str) -> None:
    assert errors(MemberCells, A_MEMBER | {"nik": number}) == [("nik", "NOT_A_NIK")]


@pytest.mark.parametrize("number", ["", NIK[:15], f"{NIK}1", "0003200303800ABC", "0" * 16])
def test_a_members_number_that_is_wrong_or_missing_is_a_fact(number: str) -> None:
    assert errors(MemberCells, A_MEMBER | {"nik": number}) == []


@pytest.mark.parametrize("number", [*UNLIKE_A_NUMBER, "", NIK[:14], f"{NIK}1"])
def test_a_payees_number_in_another_form_is_refused(number: str) -> None:
    assert [column for column, _ in errors(FamilyCells, A_FAMILY | {"payee_nik": number})] == [
        "payee_nik"
    ]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("dtks", "y"),
        ("decile", "0"),
        ("decile", "11"),
        ("decile", "١"),
        ("region_code", "٦١.٠٣.٠١.٢٠٢٦"),
        ("region_code", "61.03.01"),
        ("bank_code", "BANANA"),
        ("account_no", "3.00000E+11"),
        ("account_no", "3000-0000"),
        ("account_name", "X" * 256),
        ("address", "X" * 256),
        ("facilitator_id", "pd610301"),
    ],
)
def test_a_familys_cell_that_says_nothing_known_is_refused(column: str, cell: str) -> None:
    assert [found for found, _ in errors(FamilyCells, A_FAMILY | {column: cell})] == [column]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("sex", "BANANA"),
        ("sex", ""),
        ("relationship", "BANANA"),
        ("occupation", "ASNN"),
        ("school_level", "sd"),
        ("npsn", "3.0E+07"),
        ("npsn", "3014114"),
        ("nisn", "1"),
        ("severe_disability", "TRUE"),
        ("name", "X" * 256),
        ("birth_date", ""),
        ("birth_date", "20100515"),
        ("birth_date", "2010-W20-6"),
        ("birth_date", "1899-12-31"),
        ("birth_date", "2023-06-03"),
        ("pregnancy_due_date", "9999-12-31"),
        ("pregnancy_due_date", "0001-01-01"),
        ("pregnancy_due_date", "2025-06-03"),
        ("pregnancy_due_date", "2005-12-30"),
        ("pregnancy_order", "0"),
        ("pregnancy_order", "31"),
        ("pregnancy_order", "1.0"),
    ],
)
def test_a_members_cell_that_says_nothing_possible_is_refused(column: str, cell: str) -> None:
    assert [found for found, _ in errors(MemberCells, A_MEMBER | {column: cell})] == [column]


@pytest.mark.parametrize(("born", "bears"), [("2015-06-02", False), ("2015-06-01", True)])
def test_a_mother_is_eight_at_least(born: str, bears: bool) -> None:
    row = A_MEMBER | {"birth_date": born, "pregnancy_due_date": "2023-06-01"}
    assert (errors(MemberCells, row) == []) is bears


def test_every_occupation_that_excludes_is_known_to_the_file() -> None:
    for rules in load_rule_sets().by_id.values():
        assert rules.excluded_occupations <= {*OCCUPATIONS}


# -- Whole years ----------------------------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS, ids=lambda year: year.name)
@pytest.mark.parametrize(
    ("file", "kind"),
    [("families", FamilyCells), ("members", MemberCells), ("life_events", LifeEventCells)],
)
def test_no_row_of_a_sample_year_is_refused(year: Path, file: str, kind: type[Any]) -> None:
    read = ({"evidence": "", **row} for row in rows(year / f"{file}.csv"))
    report, numbered = ImportReport(file), list(enumerate(read, start=2))
    first, *_ = rows(year / "calendar.csv")
    taken_on = date(int(first["covers_from"][:4]), 1, 1)
    assert len(checked(kind, numbered, report, taken_on)) == len(numbered) > 0
    assert report.errors == []


@pytest.mark.parametrize("year", YEARS, ids=lambda year: year.name)
def test_every_life_event_of_a_sample_year_is_a_fact(year: Path) -> None:
    sealer = Sealer({"family": FamilyKey("family", 1, {1: bytes(32)})})
    report, numbered = ImportReport("events"), list(enumerate(rows(year / "life_events.csv"), 2))
    for row in checked(LifeEventCells, numbered, report, date(2023, 1, 1)):
        csv_facts.of_row(row, "family", sealer, Pseudonymizer(bytes(32)))
