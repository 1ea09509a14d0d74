"""Refusals of treasury and banks: a code and a line, never what was sent."""

from __future__ import annotations

from enum import Enum

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class Code(Enum):
    """The codes of README.md, each with its HTTP status and its sentence."""

    HEADER_MISSING = (400, "Content-Digest, X-Record-Count and X-Control-Sum are required")
    HEADER_MALFORMED = (400, "A header has another form")
    SIGNATURE_REFUSED = (401, "What was sent is not signed by a key of the programme")
    UNKNOWN_BANK = (404, "There is no such bank")
    UNKNOWN_FILE = (404, "No file of this id was taken")
    UNKNOWN_PAYMENT = (404, "This bank never took this reference")
    UNKNOWN_ORDER = (404, "No order of this id was taken")
    FILE_CONTRADICTS = (409, "Another file of this id was taken")
    PAYMENT_CONTRADICTS = (409, "A reference was asked for before with another amount")
    ORDER_CONTRADICTS = (409, "This order was taken with other figures")
    ORDER_CANCELLED = (409, "This order is cancelled, and its funds are never released")
    FILE_TOO_LARGE = (413, "The file has too many bytes")
    TOO_MANY_RECORDS = (413, "The file has too many records")
    MALFORMED_ID = (422, "An id has another form")
    MALFORMED_ORDER = (422, "The order has another form")
    MALFORMED_RECORD = (422, "A record has another form or stands in the wrong place")
    FILE_ID_DIFFERS = (422, "The header names another file")
    WRONG_KIND = (422, "The header names another kind of file")
    WRONG_BANK = (422, "A record names another bank")
    DUPLICATE_REFERENCE = (422, "A reference stands twice in the file")
    EMPTY_FILE = (422, "The file holds no D record")
    TRAILER_MISSING = (422, "The file has no trailer")
    COUNT_DIFFERS = (422, "Records, trailer and header do not agree on the count")
    SUM_DIFFERS = (422, "Records, trailer and header do not agree on the sum")
    DIGEST_DIFFERS = (422, "The bytes are not those of Content-Digest")
    JOURNAL_FAILED = (503, "The journal cannot be written; ask again with the same id")


class Refusal(Exception):
    """Something is refused, whole; `line` (from 1) where one line is at fault."""

    def __init__(self, code: Code, line: int | None = None) -> None:
        super().__init__(code.name)
        self.code, self.line = code, line


def speak_of_refusals(app: FastAPI) -> None:
    """Answer refusals as problem details (RFC 9457) that repeat nothing of the request."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for this type alone
    status, title = error.code.value
    problem = {"status": status, "title": title, "code": error.code.name}
    if error.line is not None:
        problem["line"] = error.line
    return JSONResponse(problem, status, media_type="application/problem+json")


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    # The framework's own answer would quote the input.
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    in_path = any(fault["loc"][0] == "path" for fault in error.errors())
    return await _refused(request, Refusal(Code.MALFORMED_ID if in_path else Code.MALFORMED_ORDER))
