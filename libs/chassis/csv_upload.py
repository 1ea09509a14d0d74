"""CSV files as they are uploaded: streamed, checked as a file, and reported on row by row.

    report = ImportReport("families.csv")
    async for rows in read_rows(upload.chunks(), COLUMNS, report):
        for line, row in rows:      # at most ROWS_A_BATCH of them, so that memory stays flat
            ...                     # report.refuse(line, "nik", Mistake.NIK_LENGTH)

UTF-8 with or without a byte order mark at its start, CRLF or LF throughout, cells quoted as of RFC
4180. A row is a line: a line end within quotes is legal CSV and in these files always a quote too
many, which makes one person of two. A file that is no such file is refused where it breaks, a row
with a cell of odd characters alone. Neither a refusal nor a report ever quotes a value.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Final, Self, TypeAlias

from libs.chassis.forms import is_plain
from libs.chassis.problems import NAME_FORM, Refusal

ROWS_A_BATCH: Final = 500
ROWS_MAX: Final = 20_000_000
ROW_CHARS_MAX: Final = 65_536
ERRORS_MAX: Final = 1_000
TEXT_AT_LEAST: Final = 65_536  # decoded before rows are looked for, or a slow sender costs much
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"(?!")')
_PLAIN: Final = re.compile(r'[^",]*')

CSV_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""The `openapi_extra` of a route that reads its body with `read_rows`."""

Row: TypeAlias = tuple[int, dict[str, str]]
"""The line that a row begins at, counted from 1 with the header, and its cells by column, in the
order of `Columns`: whatever order a file has, equal rows are equal."""


class Malformed(Enum):
    """The fault of a row, whatever it speaks of."""

    CELLS = "The row has not as many cells as the header."
    CHARACTERS = (
        "The cell holds what cannot be seen, or letters or digits of another width or kind."
    )
    CANNOT_BE_TAKEN = (
        "What is stored of whom the row speaks cannot be read; operations find why in the log."
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file, in any order; an optional one that is missing is read as empty."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was refused: a code for machines, a sentence for people, never the value."""

    line: int
    column: str
    code: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """The outcome of a file's rows. Only the first ERRORS_MAX refusals and warnings are listed.

    A service that counts more has a report of its own; `job` is the one that takes the file in.
    """

    file: str
    job: str = ""
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)

    def copy(self) -> Self:
        """Itself as it is now, for who may have to go back to it."""
        return replace(self, errors=[*self.errors], warnings=[*self.warnings])

    def restore(self, before: Self) -> None:
        """Forget what was counted since `before` was copied."""
        for counter in fields(self):
            setattr(self, counter.name, getattr(before, counter.name))

    def warn(self, line: int, column: str, mistake: Enum) -> None:
        """Note what somebody should look at in a row that is taken."""
        if len(self.warnings) < ERRORS_MAX:
            self.warnings.append(RowError(line, column, mistake.name, str(mistake.value)))

    def refuse(self, line: int, column: str, mistake: Enum) -> None:
        """Count a row as refused; the mistake's name is the code, its value the sentence."""
        self.refused += 1
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(RowError(line, column, mistake.name, str(mistake.value)))


async def read_rows(
    body: AsyncIterable[bytes],
    columns: Columns,
    report: ImportReport,
    rows_max: int = ROWS_MAX,
) -> AsyncIterator[list[Row]]:
    """The rows of a CSV file, in batches; one of too few, too many or odd cells is reported.

    Raises a 422 `Refusal` that names file, line and, where it is known, column for a file that is
    malformed or has not these columns, and 413 for one of too many rows. Rows that came before
    the place where a file breaks have been given by then.
    """
    text = _Text(report.file)
    header: list[str] | None = None
    indexes: list[tuple[str, int]] = []
    count = 0
    async for records in _records(body, text):
        count += len(records)
        if count > rows_max + 1:
            raise Refusal(413, "too-many-rows", f"{report.file} has more than {rows_max} rows.")
        rows: list[Row] = []
        for line, cells in records:
            if header is None:
                header = _checked(cells, columns, text, line)
                indexes = _indexes(header, columns)
            elif cells == header:
                raise text.refusal(line, 1, "has its header again")
            elif mistake := _mistake(cells, header):
                report.refuse(line, *mistake)
            else:
                cells.append("")  # what an absent column is read as
                rows.append((line, {name: cells[index] for name, index in indexes}))
        for start in range(0, len(rows), ROWS_A_BATCH):
            yield rows[start : start + ROWS_A_BATCH]
    if header is None:
        raise text.refusal(1, None, "has no header")


def _mistake(cells: Sequence[str], header: Sequence[str]) -> tuple[str, Malformed] | None:
    """The first column of a row that is missing, too many or odd; None where all is well."""
    if len(cells) < len(header):
        return header[len(cells)], Malformed.CELLS
    if len(cells) > len(header):
        return f"number {len(header) + 1}", Malformed.CELLS
    if is_plain(",".join(cells)):
        return None
    pairs = zip(header, cells, strict=True)
    return next(((name, Malformed.CHARACTERS) for name, cell in pairs if not is_plain(cell)), None)


# -- The file -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Text:
    """The text of a file that is decoded and not yet rows, and the lines before it."""

    file: str
    lines: int = 0
    rest: str = ""
    end: str = ""  # how the first line ends, and every other one has to

    def refusal(self, line: int, column: int | None, what: str) -> Refusal:
        location = f"line {line}" if column is None else f"line {line}, column {column}"
        detail = f"{self.file} {what} at {location}."
        where = {"file": self.file, "line": line, "column": column}
        return Refusal(422, "malformed-file", detail, members=where)

    def refusal_after(self, good: str, what: str) -> Refusal:
        """Names the character that follows `good`, which itself follows `rest`."""
        before = self.rest + good
        column = len(before) - before.rfind("\n")
        return self.refusal(self.lines + before.count("\n") + 1, column, what)


async def _records(
    body: AsyncIterable[bytes], text: _Text
) -> AsyncIterator[list[tuple[int, list[str]]]]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    looked_at = 0
    async for chunk in body:
        _decode(decoder, chunk, text, final=False)
        if len(text.rest) - looked_at >= TEXT_AT_LEAST:
            yield _complete(text, final=False)
            looked_at = len(text.rest)
    _decode(decoder, b"", text, final=True)
    yield _complete(text, final=True)


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, text: _Text, *, final: bool) -> None:
    broken = False
    try:
        more = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        more, broken = error.object[: error.start].decode(), True
    nul = more.find("\0")
    if nul >= 0:
        raise text.refusal_after(more[:nul], "holds a NUL character")
    if broken:  # out of the `except`, because the error holds the bytes themselves
        raise text.refusal_after(more, "is not UTF-8")
    text.rest += more


def _complete(text: _Text, *, final: bool) -> list[tuple[int, list[str]]]:
    """Take every complete line out of the text as a row; what follows the last stays in it."""
    lines = list(io.StringIO(text.rest, newline="\n"))
    text.rest = lines.pop() if lines and not final and not lines[-1].endswith("\n") else ""
    # `_sound` counts the lines as the reader takes them, one for each row that it gives.
    rows = csv.reader(_sound(lines, text), strict=True)
    records = [(text.lines, cells) for cells in rows if cells]  # an empty line is no row
    if len(text.rest) > ROW_CHARS_MAX:
        raise text.refusal(text.lines + 1, None, "has too long a row")
    return records


def _sound(lines: Sequence[str], text: _Text) -> Iterator[str]:
    """The lines, each a whole row; raises the `Refusal` of the first that is none."""
    for line in lines:
        text.lines += 1
        row = line.removesuffix("\n")
        row = row if row is line else row.removesuffix("\r")
        if len(row) > ROW_CHARS_MAX:
            raise text.refusal(text.lines, None, "has too long a row")
        if (at := row.find("\r")) >= 0:
            raise text.refusal(text.lines, at + 1, "holds a lone carriage return")
        end = line[len(row) :]
        text.end = text.end or end
        if end and end != text.end:
            raise text.refusal(text.lines, len(row) + 1, "ends its lines in two ways")
        if '"' in row:
            _check_quotes(row, text)
        yield line


def _check_quotes(row: str, text: _Text) -> None:
    """Raises a `Refusal` unless every quote opens a cell, closes one, or stands doubled in one."""
    start = 0
    while start < len(row):
        cell = (_QUOTED if row[start] == '"' else _PLAIN).match(row, start)
        if cell is None:
            what = f"has a line end within quotes, lines {text.lines} and {text.lines + 1},"
            raise text.refusal(text.lines, start + 1, what)
        if cell.end() < len(row) and row[cell.end()] != ",":
            raise text.refusal(text.lines, cell.end() + 1, "has a stray quote")
        start = cell.end() + 1


# -- The header -----------------------------------------------------------------------------------


def _checked(cells: Sequence[str], columns: Columns, text: _Text, line: int) -> list[str]:
    """The header's names; a 422 `Refusal` tells every name that is missing, unknown or double."""
    names = [cell.strip() for cell in cells]
    expected = {*columns.required, *columns.optional}
    missing = [name for name in columns.required if name not in names]
    double = [name for name, times in Counter(names).items() if times > 1 and name in expected]
    # A file without a header has a person's data there, so only what must be a name is told.
    named = not expected.isdisjoint(names)
    unknown = [
        name if named and NAME_FORM.fullmatch(name) else f"number {number}"
        for number, name in enumerate(names, start=1)
        if name not in expected
    ]
    if not (missing or unknown or double):
        return names
    wrong = {"missing": missing, "unknown": unknown, "duplicate": double}
    detail = "; ".join(f"{what} columns: {', '.join(of)}" for what, of in wrong.items() if of)
    where = {"file": text.file, "line": line, **wrong}
    raise Refusal(422, "wrong-columns", f"{text.file}: {detail}.", members=where)


def _indexes(header: Sequence[str], columns: Columns) -> list[tuple[str, int]]:
    """Where each column stands in a row; an absent one behind the row's end."""
    return [
        (name, header.index(name) if name in header else len(header))
        for name in (*columns.required, *columns.optional)
    ]
