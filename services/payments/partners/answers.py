"""Answers of the treasury and the banks: a partner's word is proven before it counts.

An answer is taken whole or not at all: its form, its sums, that it is of the very file that was
committed, and that it answers exactly the lines that it was asked about. Only the agreed words say
what became of a line. Any other word, such as PENDING or an empty one, is neither yes nor no: that
line stays open and is asked for again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from libs.chassis.health import WaitsForAPerson
from libs.events.domain.errors import CorridorError
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.totals import Totals
from services.payments.partners.files import LAYOUT, FileOf, Rendered

TREASURY: Final = "TREASURY"
OK: Final = "OK"
ACCOUNT_NOT_FOUND: Final = "ACCOUNT_NOT_FOUND"
CREDITED: Final = "CREDITED"
FAILING: Final = frozenset(
    {
        ACCOUNT_NOT_FOUND,
        "ACCOUNT_CLOSED",
        "ACCOUNT_DORMANT",
        "NIK_MISMATCH",
        "NAME_MISMATCH",
    }
)
"""The codes by which treasury and banks say no, as agreed with them."""

LINE_BYTES_MAX: Final = 512  # of an answer; header and trailer are lines like the others
WORD: Final = re.compile(r"[ -~]{0,40}")
REFERENCE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./_-]{0,63}")
"""A bank's own number for a credit. It is published, so every reader must be able to hold it."""
SHA256: Final = re.compile(r"[0-9a-f]{64}")
RUPIAH: Final = re.compile(r"0|[1-9][0-9]{0,14}")


class AnswerMalformed(CorridorError):
    """An answer file is not what was agreed, so none of it is taken."""


class AnswerIncomplete(CorridorError):
    """An answer file does not answer exactly the payments that it was asked about."""


class PartnerIncident(CorridorError):
    """A partner's word cannot be that of our partner about our file; a person must judge it."""


class NotSigned(PartnerIncident):
    """An answer is not signed by the partner that was asked."""


class AnotherFileTaken(PartnerIncident):
    """A partner has another file under our id than the one that was committed."""


class IncidentOpen(WaitsForAPerson):
    """A partner said what it cannot have said; a person must judge it before it is asked again."""


class LinesOpen(CorridorError):
    """A partner says neither yes nor no of some lines; they are asked for again."""


class Verdict(Enum):
    """The meaning of a partner's word about a payment."""

    YES = auto()  # the account is the payee's, or the payment credited
    NO = auto()
    OPEN = auto()  # none of the agreed words, so that nobody knows yet


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one payment: the partner's word, and of a bank its reference and amount."""

    word: str
    verdict: Verdict
    reference: str = ""
    amount: int | None = None


def bytes_max(lines: int) -> int:
    """The most bytes that an answer about so many lines may have."""
    return (lines + 2) * LINE_BYTES_MAX


def require_judged(state: RunState, partner: str) -> None:
    """Raise `IncidentOpen` while an incident of a partner waits for a person."""
    if (found := state.incident_of(partner)) is not None:
        raise IncidentOpen(kind=found.kind, partner=partner, error=found.error)


def read_answer(which: FileOf, sent: Rendered, body: bytes) -> dict[str, Answer]:
    """The lines, by payment, of an answer to a file that was committed as `sent`.

    Raises `AnswerMalformed`, which names line and field; `AnotherFileTaken` where the answer is not
    of that file; `AnswerIncomplete` where its sums are not the file's.
    """
    try:
        rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise AnswerMalformed(file=which.file, line=0) from None
    head = ["H", LAYOUT, f"{which.purpose}_RESULT", which.file, which.day.isoformat()]
    if len(rows) < 2 or rows[0][:-1] != head or not SHA256.fullmatch(rows[0][-1]):
        raise AnswerMalformed(file=which.file, line=1)
    if rows[0][-1] != sent.sha256:
        raise AnotherFileTaken(file=which.file, taken=rows[0][-1][:8])
    answers: dict[str, Answer] = {}
    for number, row in enumerate(rows[1:-1], start=2):
        answer = _answer(which, number, row)
        if row[1] in answers:
            raise AnswerMalformed(file=which.file, line=number, field="payment")
        answers[row[1]] = answer
    if rows[-1] != ["T", *map(str, _sums(which, answers))]:
        raise AnswerMalformed(file=which.file, line=len(rows), field="sums")
    _require_sums(which, sent.totals, answers)
    return answers


def require_closed(which: FileOf, answers: Mapping[str, Answer]) -> None:
    """Raise `LinesOpen` while the partner says neither yes nor no of a line."""
    verdicts = enumerate((answer.verdict for answer in answers.values()), 2)
    still_open = [number for number, verdict in verdicts if verdict is Verdict.OPEN]
    if still_open:
        raise LinesOpen(file=which.file, lines=len(still_open), first=still_open[0])


def _require_sums(which: FileOf, committed: Totals, answers: Mapping[str, Answer]) -> None:
    """Raise `AnswerIncomplete` unless an answer's sums are those of the committed file."""
    count = len(answers)
    # The treasury's lines have no amounts.
    rupiah = (
        committed.rupiah if which.bank is None else sum(a.amount or 0 for a in answers.values())
    )
    if Totals(count, rupiah) != committed:
        raise AnswerIncomplete(file=which.file, committed=committed, count=count, rupiah=rupiah)


def _answer(which: FileOf, number: int, row: Sequence[str]) -> Answer:
    if len(row) != (3 if which.bank is None else 5) or row[0] != "D":
        raise AnswerMalformed(file=which.file, line=number)
    fields = {"word": (WORD, row[2])}
    if which.bank is not None:
        fields["amount"] = (RUPIAH, row[3])
        if row[4] or row[2] == CREDITED:
            fields["reference"] = (REFERENCE, row[4])
    for name, (form, text) in fields.items():
        if form.fullmatch(text) is None:
            raise AnswerMalformed(file=which.file, line=number, field=name)
    if which.bank is None:
        return Answer(row[2], _verdict(row[2], OK))
    return Answer(row[2], _verdict(row[2], CREDITED), row[4], int(row[3]))


def _verdict(word: str, yes: str) -> Verdict:
    if word == yes:
        return Verdict.YES
    return Verdict.NO if word in FAILING else Verdict.OPEN


def _sums(which: FileOf, answers: Mapping[str, Answer]) -> tuple[int, ...]:
    """The trailer as it must be: the lines and the good ones, of a bank each with its rupiah."""
    good = [answer for answer in answers.values() if answer.verdict is Verdict.YES]
    if which.bank is None:
        return len(answers), len(good)
    everything = sum(answer.amount or 0 for answer in answers.values())
    return len(answers), everything, len(good), sum(answer.amount or 0 for answer in good)
