"""CSV files as they are uploaded: streamed, checked as a file, and reported on row by row.

    report = ImportReport("families.csv")
    async for rows in read_rows(once.following(request.stream()), COLUMNS, report):
        for line, row in rows:      # at most ROWS_A_BATCH of them, so that memory stays flat
            ...                     # report.refuse(line, "nik", Mistake.NIK_LENGTH)

UTF-8 with or without a byte order mark, CRLF or LF, quoted cells that may hold line ends. A
file that is no such file is refused where it breaks. Neither a refusal nor a report ever quotes
a value.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from libs.chassis.problems import NAME_FORM, Refusal

ROWS_A_BATCH: Final = 500
ROWS_MAX: Final = 20_000_000
ROW_CHARS_MAX: Final = 65_536
ERRORS_MAX: Final = 1_000
TEXT_AT_LEAST: Final = 65_536  # decoded before rows are looked for, or a slow sender costs much

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
    """What is wrong with a row whatever it speaks of."""

    CELLS = "The row has not as many cells as the header."


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
    """What became of a file's rows. Only the first ERRORS_MAX refusals are listed."""

    file: str
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: list[RowError] = field(default_factory=list)

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
    """The rows of a CSV file, in batches; a row of too few or too many cells goes to the report.

    Raises a 422 `Refusal` that names file, line and, where it is known, column for a file that is
    malformed or has not these columns, and 413 for one of too many rows. Rows that came before
    the place where a file breaks have been given by then.
    """
    text = _Text(report.file)
    header: list[str] | None = None
    places: list[tuple[str, int]] = []
    count = 0
    async for records in _records(body, text):
        count += len(records)
        if count > rows_max + 1:
            raise Refusal(413, "too-many-rows", f"{report.file} has more than {rows_max} rows.")
        rows: list[Row] = []
        for line, cells in records:
            if header is None:
                header = _checked(cells, columns, text, line)
                places = _places(header, columns)
            elif len(cells) == len(header):
                cells.append("")  # what an absent column is read as
                rows.append((line, {name: cells[place] for name, place in places}))
            else:
                report.refuse(line, "", Malformed.CELLS)
        for start in range(0, len(rows), ROWS_A_BATCH):
            yield rows[start : start + ROWS_A_BATCH]
    if header is None:
        raise text.refusal(1, None, "has no header")


# -- The file -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Text:
    """What of a file is decoded and not yet rows, and how many lines came before it."""

    file: str
    lines: int = 0
    rest: str = ""

    def refusal(self, line: int, column: int | None, what: str) -> Refusal:
        place = f"line {line}" if column is None else f"line {line}, column {column}"
        detail = f"{self.file} {what} at {place}."
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
    """Take every complete record out of the text; what follows the last one stays in it."""
    lines = list(io.StringIO(text.rest, newline="\n"))
    tail = lines.pop() if lines and not final and not lines[-1].endswith("\n") else ""
    records: list[tuple[int, list[str]]] = []
    reader = csv.reader(lines, strict=True)
    done = 0
    try:
        for cells in reader:
            if sum(map(len, lines[done : reader.line_num])) > ROW_CHARS_MAX:
                raise text.refusal(text.lines + done + 1, None, "has too long a row")
            if cells:  # an empty line is no row
                records.append((text.lines + done + 1, cells))
            done = reader.line_num
    except csv.Error:
        # At the last line that is there, a quote may only be waiting for its other half.
        if final or reader.line_num < len(lines):
            raise text.refusal(text.lines + done + 1, None, "is not CSV") from None
    text.lines += done
    text.rest = "".join(lines[done:]) + tail
    if len(text.rest) > ROW_CHARS_MAX:
        raise text.refusal(text.lines + 1, None, "has too long a row")
    return records


# -- The header -----------------------------------------------------------------------------------


def _checked(cells: Sequence[str], columns: Columns, text: _Text, line: int) -> list[str]:
    """The header's names; a 422 `Refusal` tells every name that is missing, unknown or double."""
    names = [cell.strip() for cell in cells]
    known = {*columns.required, *columns.optional}
    missing = [name for name in columns.required if name not in names]
    double = [name for name, times in Counter(names).items() if times > 1 and name in known]
    # A file without a header has a person's data there, so only what must be a name is told.
    told_by_name = not known.isdisjoint(names)
    unknown = [
        name if told_by_name and NAME_FORM.fullmatch(name) else f"number {place}"
        for place, name in enumerate(names, start=1)
        if name not in known
    ]
    if not (missing or unknown or double):
        return names
    told = {"missing": missing, "unknown": unknown, "duplicate": double}
    detail = "; ".join(f"{what} columns: {', '.join(of)}" for what, of in told.items() if of)
    where = {"file": text.file, "line": line, **told}
    raise Refusal(422, "wrong-columns", f"{text.file}: {detail}.", members=where)


def _places(header: Sequence[str], columns: Columns) -> list[tuple[str, int]]:
    """Where each column stands in a row; an absent one behind the row's end."""
    return [
        (name, header.index(name) if name in header else len(header))
        for name in (*columns.required, *columns.optional)
    ]
