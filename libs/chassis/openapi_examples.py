"""Examples for an interface's description, composed from what each name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UUID: Final = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
_REF: Final = "#/components/schemas/"
_OF_FORMAT: Final[Mapping[str, str]] = {
    "uuid": UUID,
    "date": "2023-03-31",
    "date-time": "2023-03-31T08:15:00Z",
}
_JSON_TYPES: Final = {
    bool: "boolean",
    dict: "object",
    int: "integer",
    list: "array",
    str: "string",
    type(None): "null",
}
_OF_TYPE: Final[Mapping[str, object]] = {"boolean": False, "number": 1.0, "null": None}

COMMON: Final[Mapping[str, object]] = {
    "about": "members.csv",
    "asked": 1,
    "by": "clerk-1",
    "check": "ok",
    "code": "string_too_long",
    "detail": None,
    "epoch": "6f1d2a0c9b7e4f53",
    "error": "UnknownRuleSet",
    "filters": {"tahap": "2023-1"},
    "findings": [],
    "head": "9d5e0d3f1a",
    "id": "import-5f2b",
    "job": "import-5f2b",
    "key": UUID,
    "kind": "import",
    "loc": ["body", "hash"],
    "message": "The text is too long",
    "name": "members.csv",
    "next": None,
    "operation": "GET /families/{family}",
    "purpose": "COMPLAINT",
    "reason": "SENT_BY_MISTAKE",
    "rule_sets": [
        {
            "id": "2021-2024",
            "valid_from": "2021-01-01",
            "valid_to": "2024-12-31",
            "runs": True,
            "verified": True,
            "reason": None,
        }
    ],
    "service": "registry",
    "source": "registry",
    "subscription": "roster",
    "title": "Version stale",
    "type": "/problems/version-stale",
    "topic": "pkh.registry.roster.v1",
    "unit": "rows",
}
"""Values of the names that every service has; a service's own go before these."""


class NoExample(LookupError):
    """Nothing says what a name looks like; add it to the service's EXAMPLES."""


def example_of(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], examples: Mapping[str, object]
) -> object:
    """An example of a schema. Raises `NoSample` that names the property without one."""
    return _example(schema, schemas, {**COMMON, **examples}, "")


def _example(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], examples: Mapping[str, object], name: str
) -> object:
    if "$ref" in schema:
        found = schemas[schema["$ref"].removeprefix(_REF)]
        return _example(found, schemas, examples, name)
    if name in examples and _fits(examples[name], schema):
        return examples[name]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas, examples, name)
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    for keyword in ("examples", "enum"):
        if keyword in schema:
            return schema[keyword][0]
    return _of_type(schema, schemas, examples, name)


def _of_type(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], examples: Mapping[str, object], name: str
) -> object:
    kind = schema.get("type")
    if kind is None:
        return {}
    if kind == "object" and "properties" in schema:
        return {
            property_name: _example(found, schemas, examples, property_name)
            for property_name, found in schema["properties"].items()
        }
    if kind == "object":
        inner = schema.get("additionalProperties")
        if not isinstance(inner, dict):
            return {}
        return {"name": _example(inner, schemas, examples, _one_of(name))}
    if kind == "array":
        return [_example(schema.get("items", {}), schemas, examples, _one_of(name))]
    if kind == "integer":
        return max(int(schema.get("minimum", 0)), 1)  # the framework writes a bound as 1.0
    if schema.get("format") in _OF_FORMAT:
        return _OF_FORMAT[schema["format"]]
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    raise NoExample(name)


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """True if an example is of a type that the schema takes; one name may stand for two things."""
    if value not in schema.get("enum", (value,)):
        return False
    kinds = {option.get("type") for option in (schema, *schema.get("anyOf", ()))}
    takes_anything = kinds == {None} and "anyOf" not in schema
    return takes_anything or _JSON_TYPES[type(value)] in kinds


def _one_of(name: str) -> str:
    """The name of one of several: month of months."""
    return name.removesuffix("s")
