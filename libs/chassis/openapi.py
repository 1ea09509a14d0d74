"""The OpenAPI document of a service: what the framework knows, every problem, an example each.

    app.openapi = lambda: described(app, generate(), anybody, EXAMPLES)

The problems that follow from what a route takes (a key, a page, a decision, a file) are added here;
those of its rules the route names itself: `responses=refuses(TahapUnknown, StaleHash)`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from libs.chassis.auth import OUTSIDE, dependencies_of, is_open, of_nation
from libs.chassis.etag import seen_tag
from libs.chassis.idempotency import streamed, whole
from libs.chassis.openapi_examples import NoExample, example_of
from libs.chassis.pagination import asked_page
from libs.chassis.problems import MEDIA_TYPE, Problem, kebab, status_of, title_of
from libs.events.domain.errors import DomainError

JSON: Final = "application/json"
CSV: Final = "text/csv"
PLACEHOLDER: Final[dict[int | str, dict[str, Any]]] = {"4XX": {"description": ""}}
"""Keeps the framework from describing a 422 of its own form; it does not stay in the document."""

ABOUT: Final = """Every request but those to /health, /ready and /problems carries a bearer token; a
region outside of the token's is refused.

* A POST carries an Idempotency-Key: sent twice, it happens once and is answered the same.
* A POST that decides on something carries its ETag as If-Match.
* Lists are pages: follow `next` until it is null.
* A query parameter that an operation does not take, or that is there twice, is refused.
* A refusal is a problem (RFC 9457) whose `type` leads to a page that says what to do.
* Amounts are whole rupiah. Nothing personal stands in addresses, problems or logs.
"""
CONTACT: Final = {"name": "The operators of the platform"}
LICENCE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
_TAGS: Final[Mapping[str, str]] = {
    "health": "Whether the process lives and can do its work.",
    "jobs": "Long work: how far it is, what it came to, and its end.",
    "operations": "Where the service is, and what waits for a person.",
    "problems": "The pages that problems' types lead to.",
}

Code: TypeAlias = tuple[int, str]
Schema: TypeAlias = dict[str, Any]

_GUARDED: Final = (
    (401, "unauthorized"),
    (401, "name-holds-number"),
    (403, "scope-missing"),
    (503, "issuer-silent"),
)
_ANY: Final = ((429, "too-many-requests"), (500, "internal-server-error"))
_STORED: Final = ((503, "database-unavailable"), (503, "database-busy"))
_FORMED: Final = ((422, "invalid-request"),)
_SENT: Final = (
    (400, "malformed-json"),
    (400, "bad-request"),
    (408, "body-too-slow"),
    (413, "body-too-large"),
)
_FILE: Final = (
    (408, "body-too-slow"),
    (429, "too-many-uploads"),
    (503, "spool-full"),
    (413, "body-too-large"),
    (413, "too-many-rows"),
    (422, "malformed-file"),
    (422, "wrong-columns"),
    (422, "rows-refused"),
    (409, "job-cancelled"),
)
_ONCE: Final = (
    (400, "idempotency-key-missing"),
    (409, "idempotency-key-in-flight"),
    (413, "event-too-large"),
    (422, "idempotency-key-reused"),
)
_BLIND: Final = ((409, "concurrency-conflict"),)
_SEEN: Final = (
    (400, "if-match-malformed"),
    (412, "version-stale"),
    (412, "concurrency-conflict"),
    (428, "if-match-missing"),
)
_PAGED: Final = ((400, "cursor-foreign"),)

_TEXT: Final = {"schema": {"type": "string"}}
_HEADERS: Final[Mapping[str, Schema]] = {
    "ETag": {"description": "The version that a decision on it names as If-Match."},
    "Link": {"description": 'The next page, rel="next"; absent behind the last one.'},
    "Position": {"description": "The position of the log that holds all this answer speaks of."},
    "Idempotency-Replayed": {"description": "true where this was answered before."},
    "Retry-After": {"description": "Seconds after which the same request may be sent again."},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what you have already; 304 where it still stands.",
    "schema": {"type": "string"},
}
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "What you have stands."}}
"""The `responses` of a route whose answer has an ETag."""


def tags(service: str, title: str) -> list[dict[str, str]]:
    """The groups of a service's operations, described."""
    descriptions = {service: f"{title}: what this service is there for.", **_TAGS}
    return [{"name": name, "description": text} for name, text in descriptions.items()]


def refuses(*kinds: type[DomainError] | Code) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can be refused so."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        code = kind if isinstance(kind, tuple) else (status_of(kind), kebab(kind.__name__))
        title = None if isinstance(kind, tuple) else (kind.__doc__ or "").strip().splitlines()[0]
        _tell(answers, code, title)
    return answers


def _tell(answers: dict[Any, Any], code: Code, title: str | None = None) -> None:
    """Add a problem to the answers of an operation."""
    status, kind = code
    answer = answers.setdefault(status, {"description": ""})
    examples = answer.setdefault("content", {}).setdefault(
        MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    )["examples"]
    value = {"type": f"/problems/{kind}", "title": title or title_of(kind), "status": status}
    examples[kind] = {"summary": value["title"], "value": value}
    answer["description"] = f"Refused: {', '.join(sorted(examples))}."


def described(
    app: FastAPI, document: Schema, open_paths: Collection[str], examples: Mapping[str, object]
) -> Schema:
    """The framework's document, completed."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs"), "Problem": problem}
    for path, operation, route in _operations(app, document):
        _answered(operation, route, guarded=not is_open(path, open_paths))
        for holder in _bodies(operation):
            # A name without an example is a test's to find, and no reason to answer nothing.
            with contextlib.suppress(NoExample):
                holder["example"] = example_of(holder["schema"], schemas, examples)
        for parameter in operation.get("parameters", ()):
            own = parameter["schema"].get("examples")
            if own and parameter["required"]:
                parameter.setdefault("example", own[0])
            elif parameter["name"] in examples:
                parameter.setdefault("example", examples[parameter["name"]])
    return document


def _operations(app: FastAPI, document: Schema) -> Iterator[tuple[str, Schema, APIRoute]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        methods = document["paths"].get(context.path)
        if isinstance(route, APIRoute) and context.path and methods:
            for method in route.methods or ():
                yield context.path, methods[method.lower()], route


def _answered(operation: Schema, route: APIRoute, *, guarded: bool) -> None:
    """Say every answer of an operation, by status."""
    responses = operation["responses"]
    responses.pop("4XX", None)
    # Statuses are text in the document, and numbers where a route or we have named them.
    answers: dict[Any, Any] = {int(status): answer for status, answer in responses.items()}
    for code in _codes(operation, route, guarded=guarded):
        _tell(answers, code)
    if 304 in answers:
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    for status, answer in answers.items():
        if status == 204:
            answer.pop("content", None)
        if headers := {name: _HEADERS[name] | _TEXT for name in _headers(status, answers, route)}:
            answer["headers"] = headers
    operation["responses"] = {str(status): answers[status] for status in sorted(answers)}


def _codes(operation: Schema, route: APIRoute, *, guarded: bool) -> Iterator[Code]:
    takes = {dependant.call for dependant in dependencies_of(route)}
    sent = operation.get("requestBody", {}).get("content", {})
    yield from (*_ANY, *_FORMED)
    if guarded:
        yield from (*_GUARDED, *_STORED)
    if of_nation in takes:
        yield OUTSIDE
    if JSON in sent:
        yield from _SENT
    if CSV in sent:
        yield from _FILE
    if takes & {whole, streamed}:
        yield from (*_ONCE, *(() if seen_tag in takes else _BLIND))
    if seen_tag in takes:
        yield from _SEEN
    if asked_page in takes:
        yield from _PAGED


def _headers(status: int, answers: Mapping[int, Any], route: APIRoute) -> Iterator[str]:
    takes = {dependant.call for dependant in dependencies_of(route)}
    good = 200 <= status < 300
    if (good and (304 in answers or seen_tag in takes)) or status in (304, 412):
        yield "ETag"
    if good and asked_page in takes:
        yield "Link"
    if good and takes & {whole, streamed}:
        yield from ("Position", "Idempotency-Replayed")
    if status in (429, 503):
        yield "Retry-After"


def _bodies(operation: Schema) -> Iterator[Schema]:
    """Where a body of JSON is described: what is sent, and what is answered when all is well."""
    sent = operation.get("requestBody", {}).get("content", {})
    good = [
        answer.get("content", {})
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    yield from (content[JSON] for content in (sent, *good) if JSON in content)
