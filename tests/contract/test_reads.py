"""Every operation that tells of families leaves a record of it first, whichever it is.

Which these are is read from their descriptions, so that a new one is asked for its record too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from libs.chassis.auth import dependencies_of
from libs.chassis.catalogue import catalogue
from libs.chassis.noting import NAMES_FAMILIES, noting
from libs.chassis.reads import NoteRead
from libs.chassis.regions import of_family
from tests.contract.access import OPERATIONS, Regions
from tests.contract.test_access import PLACES, REGIONS, gatehouse
from tools.contracts import interfaces

NAMED: Final = NAMES_FAMILIES | {"body"}  # of a message, which may name families
DECIDES: Final = frozenset({"POST /tahap/{tahap}/supplementary-runs"})
"""The decisions whose answer names families; the log has who decided it, and of whom."""

Schema = Mapping[str, Any]


def parts(schema: Schema, schemas: Schema, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names under which an answer holds anything but numbers, at any depth."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        if name not in seen:
            yield from parts(schemas[name], schemas, seen | {name})
    for name, inner in schema.get("properties", {}).items():
        if inner.get("type") != "integer":
            yield name
        yield from parts(inner, schemas, seen)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from parts(inner, schemas, seen)
    for kind in ("anyOf", "allOf", "oneOf"):
        for inner in schema.get(kind, ()):
            yield from parts(inner, schemas, seen)


@cache
def telling(service: str) -> list[str]:
    """The operations of a service whose answers name families, or are of the one in their path."""
    described = json.loads(interfaces.openapi(service))
    schemas, found = described["components"]["schemas"], []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            names = {
                name
                for status, answer in operation["responses"].items()
                if status.startswith("2")
                for content in answer.get("content", {}).values()
                for name in parts(content.get("schema", {}), schemas)
            }
            if names & NAMED or (method == "get" and "{family}" in path):
                found.append(f"{method.upper()} {path}")
    return found


def noting_routes(service: str) -> set[str]:
    """The operations of a service that leave a record."""
    found = set()
    for route in iter_route_contexts(interfaces.application(service).routes):
        if isinstance(route.original_route, APIRoute):
            calls = {each.call for each in dependencies_of(route)}  # type: ignore[arg-type]
            for method in route.methods or ():
                if noting in calls or (method == "GET" and of_family in calls):
                    found.add(f"{method} {route.path}")
    return found


@pytest.mark.parametrize("service", catalogue().names)
def test_whatever_tells_of_families_leaves_a_record(service: str) -> None:
    assert set(telling(service)) - noting_routes(service) - DECIDES == set()


def test_there_are_such_operations_and_their_names_are_found() -> None:
    found = [operation for service in catalogue().names for operation in telling(service)]

    assert {"POST /identities/lookup", "GET /entitlements", "GET /tahap/{tahap}"} <= {*found}
    assert "GET /tahap/{tahap}/summary" not in found
    assert len(found) > 25


FAMILY_READS: Final = {
    service: [
        operation
        for operation, access in table.items()
        if access.regions is Regions.FAMILY and operation.startswith("GET ")
    ]
    for service, table in OPERATIONS.items()
}


@pytest.mark.parametrize("service", catalogue().names)
async def test_a_read_of_one_family_names_it_and_a_foreign_one_is_no_read(
    service: str, tmp_path: Path
) -> None:
    gate = gatehouse(tmp_path, service)
    for operation in FAMILY_READS[service]:
        [scope] = OPERATIONS[service][operation].scopes
        await gate.ask(operation, [scope], REGIONS["own"])
        [record] = gate.records.noted
        assert isinstance(record.command, NoteRead)
        assert (record.command.operation, record.command.families) == (
            operation,
            [PLACES["family"]],
        )

        await gate.ask(operation, [scope], REGIONS["other"])
        assert gate.records.noted == []


@pytest.mark.parametrize("service", catalogue().names)
async def test_where_no_record_can_be_written_nobody_is_told_anything(
    service: str, tmp_path: Path
) -> None:
    gate = gatehouse(tmp_path, service)
    gate.records.fault = asyncpg.InsufficientPrivilegeError("events")
    for operation in FAMILY_READS[service]:
        [scope] = OPERATIONS[service][operation].scopes
        answer = await gate.ask(operation, [scope], REGIONS["own"])
        assert (answer.status, answer.kind, answer.asked) == (503, "read-not-recorded", ())
