"""Requests of every kind to every operation: no error of the service, no answer undocumented."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from libs.chassis.problems import MEDIA_TYPE
from tests.integration.http.served import NOT_READY, Served, operations, served_by
from tests.servers import Postgres
from tests.tiers import NIGHTLY

EXAMPLES: Final = {
    GenerationMode.POSITIVE: 100 if NIGHTLY else 3,
    GenerationMode.NEGATIVE: 100 if NIGHTLY else 2,
}
"""Requests to an operation that are right, and that are wrong in some place."""
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Nobody has announced the tahap whose rows are there; no shipped rule set lets a closing be
# re-opened.
NOT_TOLD: Final = (
    "GET /problems/{code}",
    "GET /families/{family}/tahap/{tahap}/why",
    "GET /reopenings/{family}/{tahap}",
    "GET /take-backs/{family}",
    "GET /sessions/{number}/check-in-tokens",  # made on the day of a session, and not before it
    "GET /sessions/{number}/check-in-sheet",
    "GET /sessions/{number}/check-in-codes/{family}",
    NOT_READY,
)


OPERATIONS: Final = list(operations())


@pytest.fixture(scope="module")
def servers(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Served]]:
    """Each service at an address, with a little in its store; made when it is first asked."""
    with ExitStack() as stack:

        @cache
        def server(name: str) -> Served:
            return stack.enter_context(served_by(postgres, tmp_path_factory.mktemp(name), name))

        yield server


@pytest.fixture
def served(request: pytest.FixtureRequest, servers: Callable[[str], Served]) -> Served:
    """The service that a test names."""
    return servers(request.param)


def knock(served: Served, case: Case[Any], *, well_meant: bool) -> None:
    """Ask, and hold the answer against the description.

    Who means well asks about what is there, with a fresh key, and decides on what stands.
    """
    headers = served.who()
    if well_meant:
        case.path_parameters = {
            name: served.places.get(name, value) for name, value in case.path_parameters.items()
        }
        headers["Idempotency-Key"] = str(uuid.uuid4())
        if tag := served.decided_on(case.path):
            headers["If-Match"] = tag
    response = case.call(headers=headers)
    case.validate_response(response, checks=CHECKS)
    if MEDIA_TYPE in "".join(response.headers.get("content-type", ())):
        code = response.json()["type"].removeprefix("/problems/")
        assert code in served.documented(case.path, case.method, response.status_code)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("served", "label"), OPERATIONS, indirect=["served"])
def test_whatever_is_asked_is_answered_as_described(
    served: Served, label: str, mode: GenerationMode
) -> None:
    operation = served.schema.find_operation_by_label(label)
    assert operation is not None

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def asked(case: Case[Any]) -> None:
        knock(served, case, well_meant=mode is GenerationMode.POSITIVE)

    try:
        asked()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "there is no right way to ask"


@pytest.mark.parametrize(("served", "label"), OPERATIONS, indirect=["served"])
def test_what_is_there_is_shown(served: Served, label: str) -> None:
    """Every GET of something that is there is answered with it."""
    method, _, path = label.partition(" ")
    if method != "GET" or label in NOT_TOLD:
        return
    operation = served.document["paths"][path]["get"]
    needed: dict[str, Any] = {
        each["name"]: each["example"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    }

    answer = served.get(path.format_map(served.places), **needed)

    assert answer.status_code == 200, answer.text
