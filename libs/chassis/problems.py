"""Every answer that is not the wanted one, in the form of RFC 9457 (application/problem+json).

    Refusal              raised at the HTTP edge            its own status and type
    DomainError          a rule refuses                     409  /problems/<class-name>
    NotFound             the thing does not exist           404  /problems/<class-name>
    ConcurrencyConflict  somebody was first                 412 with If-Match, else 409
    EventTooLarge        more than the bus will carry       413
    a wrong request      named places, never values         422, malformed JSON 400
    a lost database      try again                          503 with Retry-After
    others in the way    deadlock, or waited too long       503 with Retry-After
    anything else        nothing of it leaves the service   500

A validator that wants its own words to reach the caller raises `PydanticCustomError` with a fixed
sentence: the text of a ValueError is withheld, because it may quote the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from libs.events.domain.errors import ConcurrencyConflict, DomainError, EventTooLarge, NotFound
from libs.events.store.faults import LOST

MEDIA_TYPE: Final = "application/problem+json"
MISTAKES_MAX: Final = 50  # places named in one answer
RETRY_AFTER_S: Final = 1
NAME_FORM: Final = re.compile(r"(?!.*[0-9]{4})[a-z][a-z0-9_]{0,39}")
"""A name that a caller made up and that an answer may repeat: nobody's number is of this form."""
BUSY_DATABASE: Final = (
    asyncpg.TransactionRollbackError,  # a deadlock: one of the two must begin again
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,  # a statement that took too long
)
QUOTING: Final = ("value_error", "assertion_error")

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


class Mistake(BaseModel):
    """One place of a request that is wrong, and why; never the value that stands there."""

    loc: list[str | int]
    message: str
    code: str


class Problem(BaseModel):
    """Problem details as of RFC 9457. A type's own members stand beside these."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/version-stale"])
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[Mistake] | None = None


class Refusal(HTTPException):
    """An answer other than the one asked for, decided at the HTTP edge."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        """`kind` is the last part of the problem's type, `members` are the type's own."""
        super().__init__(status, detail=detail, headers=dict(headers or {}))
        self.kind = kind
        self.members = members or {}


GENERAL: Final = (
    ("bad-request", 400),
    ("malformed-json", 400),
    ("unauthorized", 401),
    ("name-holds-number", 401),
    ("not-found", 404),
    ("method-not-allowed", 405),
    ("header-too-slow", 408),
    ("concurrency-conflict", 409),
    ("concurrency-conflict", 412),
    ("event-too-large", 413),
    ("invalid-request", 422),
    ("too-many-requests", 429),
    ("header-too-large", 431),
    ("internal-server-error", 500),
    ("database-busy", 503),
    ("database-unavailable", 503),
    ("issuer-silent", 503),
)
"""(code, status) of the problems that no `Refusal` or `DomainError` names."""


def answer(
    request: Request, status: int, kind: str | None = None, title: str | None = None, **members: Any
) -> Response:
    """A problem as a response; without `kind` and `title` they are those of the status."""
    kind = kind or kebab(HTTPStatus(status).phrase)
    request.state.problem = kind
    instance = getattr(request.state, "request_id", None)
    problem = Problem(
        type=f"/problems/{kind}",
        title=title or title_of(kind),
        status=status,
        instance=instance and f"urn:request:{instance}",
        **members,
    )
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, status, media_type=MEDIA_TYPE)


def kebab(name: str) -> str:
    """`NotInstructed` or `Not Found` as not-instructed and not-found."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[ _]+", "-", name).lower()


def title_of(kind: str) -> str:
    """A problem's code as words: `version-stale` as Version stale."""
    return kind.replace("-", " ").capitalize()


def status_of(error: type[DomainError]) -> int:
    """The status that a rule's refusal is answered with."""
    return 404 if issubclass(error, NotFound) else 409


def kind_and_detail(error: Exception) -> tuple[str, str | None]:
    """The last part of an error's problem type, and what may be told of it."""
    if isinstance(error, Refusal):
        return error.kind, error.detail
    if isinstance(error, DomainError):
        return kebab(type(error).__name__), str(error)
    return kebab(HTTPStatus.INTERNAL_SERVER_ERROR.phrase), None


async def _http(request: Request, refusal: HTTPException) -> Response:
    kind, members = getattr(refusal, "kind", None), getattr(refusal, "members", {})
    detail = refusal.detail if kind else None
    response = answer(request, refusal.status_code, kind, detail=detail, **members)
    response.headers.update(refusal.headers or {})
    return response


async def _domain(request: Request, error: DomainError) -> Response:
    status = status_of(type(error))
    title = (error.__doc__ or kebab(type(error).__name__)).strip().splitlines()[0]
    return answer(request, status, kebab(type(error).__name__), title, detail=str(error))


async def _conflict(request: Request, error: ConcurrencyConflict) -> Response:
    status = 412 if "if-match" in request.headers else 409
    return answer(request, status, "concurrency-conflict", detail=str(error))


async def _too_large(request: Request, error: EventTooLarge) -> Response:
    return answer(request, 413, "event-too-large", detail=str(error))


async def _lost_database(request: Request, error: Exception) -> Response:
    if isinstance(error, ValueError):  # no lost connection: the driver's word on a value of ours
        raise error
    return _try_again(request, "database-unavailable")


async def _busy_database(request: Request, _error: Exception) -> Response:
    return _try_again(request, "database-busy")


def _try_again(request: Request, kind: str) -> Response:
    response = answer(request, 503, kind)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


async def _validation(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if any(mistake["type"] == "json_invalid" for mistake in found):
        return answer(request, 400, "malformed-json", detail="The body is not JSON.")
    own_names = _names(request.app)
    mistakes = [_mistake(mistake, own_names) for mistake in found[:MISTAKES_MAX]]
    return answer(request, 422, "invalid-request", errors=mistakes)


def _mistake(found: Mapping[str, Any], own_names: frozenset[str]) -> Mistake:
    code, message = found["type"], found["msg"]
    if code in QUOTING:
        message = "The value is refused"
    elif code.endswith("_parsing"):
        message = message.partition(",")[0]  # what follows quotes a character of the value
    # A name that the caller made up can be anything, a person's number too.
    loc = [part if isinstance(part, int) or part in own_names else "*" for part in found["loc"]]
    return Mistake(loc=loc, message=message, code=code)


def _names(app: FastAPI) -> frozenset[str]:
    """Every name that the service's own interface knows, and that an answer may therefore hold."""
    schema = app.openapi()
    schemas = schema.get("components", {}).get("schemas", {})
    names = {"body", "query", "path", "header", "cookie", *schemas}
    for model in schemas.values():
        names.update(model.get("properties", {}))
    for operations in schema["paths"].values():
        for operation in operations.values():
            names.update(parameter["name"] for parameter in operation.get("parameters", ()))
    return frozenset(names)


HANDLERS: Final[dict[Any, Handler]] = {
    HTTPException: _http,
    RequestValidationError: _validation,
    DomainError: _domain,
    ConcurrencyConflict: _conflict,
    EventTooLarge: _too_large,
    **dict.fromkeys(LOST, _lost_database),
    **dict.fromkeys(BUSY_DATABASE, _busy_database),
}
