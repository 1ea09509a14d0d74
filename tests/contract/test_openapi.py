"""Each service's interface as OpenAPI: committed as it is, whole, and every example is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from libs.chassis.catalogue import catalogue
from libs.chassis.openapi_examples import example_of
from libs.chassis.problems import MEDIA_TYPE
from tools.contracts.interfaces import OPENAPI, application, openapi
from tools.contracts.problem_pages import all_problems

SERVICES = catalogue().names
# As committed, which a test holds against the code: to describe a service takes half a second.
DOCUMENTS = {
    service: json.loads((OPENAPI / f"{service}.json").read_text("utf-8")) for service in SERVICES
}
JSON = "application/json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(service, "GET /path", the operation) of everything that can be asked for."""
    for service, document in DOCUMENTS.items():
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                yield service, f"{method.upper()} {path}", operation


OPERATIONS = list(operations())


@pytest.mark.parametrize("service", SERVICES)
def test_an_interface_is_committed_as_it_is(service: str) -> None:
    path = OPENAPI / f"{service}.json"
    assert path.read_text("utf-8") == openapi(service), "run: make contracts"


@pytest.mark.parametrize("service", SERVICES)
def test_an_interface_says_whose_it_is(service: str) -> None:
    document = DOCUMENTS[service]
    assert {"title", "version", "description", "contact", "license"} <= document["info"].keys()
    assert document["components"]["securitySchemes"]
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    used = {tag for _, _, operation in OPERATIONS for tag in operation["tags"]}
    assert used <= described | set(SERVICES)


def test_an_operation_tells_what_it_is_for(subtests: pytest.Subtests) -> None:
    for service, name, operation in OPERATIONS:
        with subtests.test(f"{service} {name}"):
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]
            guarded = not name.endswith(("/health", "/ready", "/problems/{code}"))
            assert bool(operation.get("security")) == guarded


def test_an_operation_tells_every_answer_by_its_status(subtests: pytest.Subtests) -> None:
    for service, name, operation in OPERATIONS:
        with subtests.test(f"{service} {name}"):
            answers = operation["responses"]
            assert all(status.isdigit() for status in answers), (
                "a class of statuses hides what is answered"
            )
            for status, answer in answers.items():
                assert answer["description"]
                if status >= "4" and MEDIA_TYPE in answer.get("content", {}):
                    for code, example in answer["content"][MEDIA_TYPE]["examples"].items():
                        assert int(status) in all_problems()[code].statuses, code
                        assert example["value"]["title"] in all_problems()[code].titles, code


def test_what_is_sent_and_answered_is_shown_by_an_example_that_fits(
    subtests: pytest.Subtests,
) -> None:
    for service, name, operation in OPERATIONS:
        with subtests.test(f"{service} {name}"):
            good = [
                each for status, each in operation["responses"].items() if status.startswith("2")
            ]
            holders = [operation.get("requestBody", {}), *good]
            for holder in holders:
                content = holder.get("content", {}).get(JSON)
                if content is None:
                    continue
                assert content["schema"], f"{name} answers anything"
                whole = content["schema"] | {"components": DOCUMENTS[service]["components"]}
                Draft202012Validator.check_schema(whole)
                validator_for(whole, default=Draft202012Validator)(whole).validate(
                    content["example"]
                )


def test_what_a_query_must_name_is_shown_by_an_example_that_fits(subtests: pytest.Subtests) -> None:
    for service, name, operation in OPERATIONS:
        with subtests.test(f"{service} {name}"):
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and parameter["required"]:
                    Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_a_whole_number_is_shown_without_a_point() -> None:
    shown = example_of({"type": "integer", "minimum": 1.0}, {}, {})
    assert (shown, type(shown)) == (1, int)


def test_a_list_is_answered_page_by_page(subtests: pytest.Subtests) -> None:
    """But for a POST that is asked for by id, which is answered whole."""
    for service, name, operation in OPERATIONS:
        with subtests.test(f"{service} {name}"):
            if not name.startswith("GET"):
                continue
            for answer in operation["responses"].values():
                schema = answer.get("content", {}).get(JSON, {}).get("schema", {})
                assert schema.get("type") != "array", (
                    "answer a Page, see libs/chassis/pagination.py"
                )


def test_an_interface_can_be_made_without_a_database() -> None:
    assert application(SERVICES[0]).openapi()["info"]["title"]
