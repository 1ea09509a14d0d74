"""A life event's row as the fact that a family is told: its values sealed, its persons tokens."""

from __future__ import annotations

from libs.privacy.days import sealed_day
from libs.privacy.pseudonyms import Pseudonymizer
from libs.privacy.sealing import Sealer
from services.registry.domain.family.commands import (
    Birth,
    Death,
    LifeEvent,
    Move,
    PayeeChange,
    Pregnancy,
    SchoolChange,
    well_formed_nik,
)
from services.registry.http.csv_cells import (
    BANKS,
    PREGNANCIES,
    SEXES,
    Cells,
    Mistake,
    Refused,
    account_no,
    day,
    kept_nik,
    level,
    number,
    region,
    school_number,
    text,
    whole_or_none,
    word,
)
from services.registry.http.csv_rows import LifeEventCells


def of_row(
    row: LifeEventCells, family: str, sealer: Sealer, pseudonymizer: Pseudonymizer
) -> LifeEvent:
    """The fact of a row; raises `Refused`."""
    cells = row.cells
    match row.type:
        case "MOVE":
            return Move(region(cells, "region_code"))
        case "PAYEE_CHANGE":
            return _payee_change(cells, family, sealer, pseudonymizer)
        case "BIRTH":
            return _birth(row, family, sealer, pseudonymizer)
        case _:
            return _of_member(row.type, cells, family, sealer, pseudonymizer)


def _of_member(
    type_: str, cells: Cells, family: str, sealer: Sealer, pseudonymizer: Pseudonymizer
) -> LifeEvent:
    nik = kept_nik(cells, "nik")
    if not nik:
        raise Refused("nik", Mistake.MISSING)
    token = pseudonymizer.nik(nik)
    match type_:
        case "DEATH":
            return Death(token)
        case "SCHOOL_CHANGE":
            numbers = [sealed(sealer, family, cells, column) for column in ("npsn", "nisn")]
            return SchoolChange(token, level(cells), *numbers)
        case _:
            order = whole_or_none(cells, "pregnancy_order", PREGNANCIES)
            return Pregnancy(token, sealed_day(sealer, family, day(cells, "due_date")), order)


def _payee_change(
    cells: Cells, family: str, sealer: Sealer, pseudonymizer: Pseudonymizer
) -> PayeeChange:
    payee = number(cells, "new_payee_nik")
    return PayeeChange(
        payee_token=pseudonymizer.nik(payee),
        payee_nik=sealer.seal(family, "payee_nik", payee),
        bank=word(cells, "bank_code", BANKS),
        account_no=sealer.seal(family, "account_no", account_no(cells)),
        account_name=sealer.seal(family, "account_name", text(cells, "account_name")),
        account_token=account_token(pseudonymizer, cells),
    )


def _birth(row: LifeEventCells, family: str, sealer: Sealer, pseudonymizer: Pseudonymizer) -> Birth:
    cells = row.cells
    nik = kept_nik(cells, "nik")
    return Birth(
        token=person_token(pseudonymizer, nik, pseudonymizer.fingerprint(*cells.values())),
        nik=sealer.seal(family, "nik", nik),
        name=sealer.seal(family, "name", text(cells, "name")),
        nik_valid=well_formed_nik(nik),
        sex=word(cells, "sex", SEXES),
        birth_date=sealed_day(sealer, family, day(cells, "birth_date")),
        effective_on=sealed_day(sealer, family, row.effective_on),
    )


def person_token(pseudonymizer: Pseudonymizer, nik: str, fingerprint: str) -> str:
    """The token of whom a row is about. Without a number that is a person of their own."""
    return pseudonymizer.nik(nik) if nik else pseudonymizer.nameless(fingerprint)


def account_token(pseudonymizer: Pseudonymizer, cells: Cells) -> str:
    """The token of an account at its bank; empty where the row has none."""
    number = cells["account_no"]
    return pseudonymizer.account(cells["bank_code"], number) if number else ""


def sealed(sealer: Sealer, family: str, cells: Cells, column: str) -> str | None:
    """A school's or a pupil's number as it is kept; None where the cell is empty."""
    cell = school_number(cells, column)
    return sealer.seal(family, column, cell) if cell else None
