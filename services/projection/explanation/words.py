"""Names, dates and rupiah as sentences in English and Indonesian write them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from services.projection.explanation.answer import Text

MONTHS: Final = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
    "id": (
        *("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus"),
        *("September", "Oktober", "November", "Desember"),
    ),
}
CATEGORIES: Final = {
    "PREGNANT": Text("expectant mother", "ibu hamil/nifas"),
    "EARLY_CHILD": Text("early childhood", "anak usia dini"),
    "SEVERE_DISABILITY": Text("severe disability", "penyandang disabilitas berat"),
    "ELDERLY": Text("elderly", "lanjut usia"),
    "SMA": Text("pupil of SMA", "siswa SMA"),
    "SMP": Text("pupil of SMP", "siswa SMP"),
    "SD": Text("pupil of SD", "siswa SD"),
}
SERVICES: Final = {
    "WEIGHING": Text("weighing", "penimbangan"),
    "MATERNAL_CHECK": Text("the maternal check", "pemeriksaan ibu hamil"),
    "HOME_VISIT": Text("the home visit", "kunjungan rumah"),
    "ELDERLY_CHECK": Text("the check of the elderly", "pemeriksaan lanjut usia"),
    "IMMUNISATION": Text("immunisation", "imunisasi"),
    "VITAMIN_A": Text("vitamin A", "vitamin A"),
    "NEWBORN_VISIT": Text("the newborn's check", "pemeriksaan bayi baru lahir"),
    "DELIVERY": Text("delivery at a facility", "persalinan di fasilitas kesehatan"),
    "NIFAS_VISIT": Text("the check after birth", "pemeriksaan nifas"),
    "TRIMESTER_CHECK": Text("the check of the trimester", "pemeriksaan trimester"),
    "P2K2": Text("the group's session", "pertemuan P2K2"),
}
EXCEPTIONS: Final = {
    "NO_FACILITY": Text("no facility in reach", "tidak ada fasilitas dalam jangkauan"),
    "DISASTER": Text("disaster", "bencana"),
    "OUTBREAK": Text("outbreak", "wabah"),
    "DISABILITY": Text("disability", "disabilitas"),
    "REMOTE_AREA": Text("remote area", "daerah sulit"),
}


def named(names: dict[str, Text], code: str) -> Text:
    """A code's name with the code behind it; the code alone where it has no name here."""
    name = names.get(code)
    return Text(f"{name.en} ({code})", f"{name.id} ({code})") if name else Text(code, code)


def rupiah(amount: int) -> Text:
    """Whole rupiah: Rp 750,000 and Rp750.000."""
    return Text(f"Rp {amount:,}", "Rp" + f"{amount:,}".replace(",", "."))


def day(on: date) -> Text:
    """A date: 31 March 2023 and 31 Maret 2023."""
    month = on.month - 1
    return Text(
        f"{on.day} {MONTHS['en'][month]} {on.year}", f"{on.day} {MONTHS['id'][month]} {on.year}"
    )


def month(name: str) -> Text:
    """A month "2023-02": February 2023 and Februari 2023."""
    year, number = name.split("-")
    index = int(number) - 1
    return Text(f"{MONTHS['en'][index]} {year}", f"{MONTHS['id'][index]} {year}")


def joined(texts: Iterable[Text]) -> Text:
    """Several, with commas."""
    several = tuple(texts)
    return Text(", ".join(t.en for t in several), ", ".join(t.id for t in several))
