"""The codes of a year in words: English, and the programme's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Word:
    """A code's meaning; `local` is what the programme's people call it, if they do."""

    text: str
    local: str = ""


JUDGED: Final[Mapping[str, Word]] = {
    "ELIGIBLE": Word("Eligible", "layak"),
    "HOLD:DUPLICATE_NIK": Word("On hold: a person stands in two families", "NIK ganda"),
    "HOLD:INVALID_NIK": Word("On hold: a NIK is not valid", "NIK tidak valid"),
    "INELIGIBLE:NOT_IN_DTKS": Word("Not in the social registry", "tidak ada di DTKS"),
    "INELIGIBLE:EXCLUDED_OCCUPATION": Word("An occupation excludes", "pekerjaan dikecualikan"),
    "INELIGIBLE:NO_COMPONENT": Word("No member in a category", "tanpa komponen"),
}
"""A family's judgement, by `STATUS:REASON` as summary.json has it."""

ACCOUNT: Final[Mapping[str, Word]] = {
    "ACCOUNT_CLOSED": Word("Account is closed", "rekening ditutup"),
    "ACCOUNT_DORMANT": Word("Account is dormant", "rekening pasif"),
    "ACCOUNT_NOT_FOUND": Word("Account is not known", "rekening tidak ditemukan"),
    "NAME_MISMATCH": Word("Holder has another name", "nama tidak sesuai"),
    "NIK_MISMATCH": Word("Holder has another NIK", "NIK tidak sesuai"),
}
"""Why an account does not pass, at the treasury's check or on the day of credit."""

UNPAID: Final[Mapping[str, Word]] = {
    "account_failed": Word("The account check did not pass", "cek rekening gagal"),
    "transfer_failed": Word("The bank refused", "gagal salur"),
    "no_valid_payee": Word("No valid payee", "tanpa pengurus yang sah"),
}
"""Why a payment reached no account, by the name of summary.json."""

RESULT: Final[Mapping[str, Word]] = {
    "COMPLIANT": Word("Every duty met", "memenuhi komitmen"),
    "FAILED": Word("A duty failed", "tidak memenuhi komitmen"),
    "UNVERIFIED": Word("Not verified", "belum terverifikasi"),
}
"""The judgement of a family's cycle."""

DUTY: Final[Mapping[str, Word]] = {
    "PREGNANT": Word("Maternal check", "pemeriksaan ibu hamil"),
    "EARLY_CHILD": Word("Weighing of a small child", "penimbangan balita"),
    "SD": Word("School, primary", "kehadiran SD"),
    "SMP": Word("School, junior secondary", "kehadiran SMP"),
    "SMA": Word("School, senior secondary", "kehadiran SMA"),
    "SEVERE_DISABILITY": Word("Home visit, severe disability", "kunjungan disabilitas berat"),
    "ELDERLY": Word("Check of an elderly member", "pemeriksaan lansia"),
}
"""The duty of a category's holder."""

UNMET: Final[Mapping[str, str]] = {
    "ATTENDANCE_BELOW_THRESHOLD": "too few days",
    "NOT_ATTENDED": "missed",
    "NO_RECORD": "no record",
}
"""Why a duty was not passed."""

THIRD: Final = Word("Third failure in a row", "investigasi")

THIRD_FAILURE: Final[Mapping[str, Word]] = {
    "TERMINATED": Word("Confirmed: left the programme", "dikeluarkan"),
    "CLEARED": Word("Not confirmed: released, counted anew", "dipulihkan"),
    "INVESTIGATION": Word("Not decided yet", "dalam investigasi"),
}
"""The outcome of a third failure in a row, by the disposition behind the `+`."""


def word(of: Mapping[str, Word], code: str) -> Word:
    """The meaning of a code; a code that is new here stands for itself."""
    return of.get(code) or Word(code)


def unmet(duty: str, reason: str) -> Word:
    """The meaning of a duty that was not passed for a reason."""
    meaning = word(DUTY, duty)
    return Word(f"{meaning.text}: {UNMET.get(reason, reason)}", meaning.local)
