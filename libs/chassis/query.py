"""The query of a request: only parameters that the operation knows, each given once.

A filter that is misspelt and passed over answers the whole list as if it were the filtered one, and
an option given twice means whichever one the reader of the code expects. Both are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute

from libs.chassis.auth import dependencies_of
from libs.chassis.problems import MISTAKES_MAX, NAME_FORM, Mistake, Refusal

_MESSAGES: Final[Mapping[str, str]] = {
    "unknown_parameter": "This operation takes no such query parameter",
    "repeated_parameter": "This query parameter is there more than once",
}


async def only_known_parameters(request: Request) -> None:
    """A dependency of every operation: 422 names each query parameter that it does not take, or
    that is there more than once. No operation takes several values under one name."""
    accepted = _parameters_of(request.scope["route"])
    times = Counter(name for name, _ in request.query_params.multi_items())
    unknown = [_mistake(name, "unknown_parameter") for name in times if name not in accepted]
    repeated = [
        _mistake(name, "repeated_parameter")
        for name in times
        if name in accepted and times[name] > 1
    ]
    if mistakes := [*unknown, *repeated][:MISTAKES_MAX]:
        first = mistakes[0]
        detail = f"{first.message}: {first.loc[-1]}."
        raise Refusal(422, "invalid-request", detail, members={"errors": mistakes})


def _parameters_of(route: APIRoute) -> frozenset[str]:
    """The names of the query parameters of an operation and of all that it depends on."""
    return frozenset(
        parameter.alias for found in dependencies_of(route) for parameter in found.query_params
    )


def _mistake(name: str, code: str) -> Mistake:
    # A name that the caller made up can be anything, a person's number too.
    shown = name if NAME_FORM.fullmatch(name) else "*"
    return Mistake(loc=["query", shown], message=_MESSAGES[code], code=code)
