"""A parameter that an operation does not take is refused, and so is one that is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.chassis.dev_issuer import Issuer
from tests.unit.chassis.service import NIK, calling, service, settings_for, token_for
from tests.unit.chassis.test_pagination import shelves


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("kinds=red", "kinds", "unknown_parameter"),
        ("kind=red&kinds=blue", "kinds", "unknown_parameter"),
        ("kind=red&kind=blue", "kind", "repeated_parameter"),
        ("limit=1&limit=1", "limit", "repeated_parameter"),
        (f"{NIK}=1", "*", "unknown_parameter"),
        ("Siti%20Aminah=1", "*", "unknown_parameter"),
    ],
)
async def test_a_parameter_is_refused_by_name_and_nothing_personal_is_repeated(
    issuer: Issuer, issuer_dir: Path, query: str, name: str, code: str
) -> None:
    app = service(settings_for(issuer_dir), shelves())

    async with calling(app, token_for(issuer)) as client:
        answer = await client.get(f"/shelves/a?{query}")

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request")
    [mistake] = answer.json()["errors"]
    assert (mistake["loc"], mistake["code"]) == (["query", name], code)
    assert name in answer.json()["detail"]
    assert NIK not in answer.text
    assert "Siti" not in answer.text


async def test_parameters_that_an_operation_takes_through_a_dependency_are_known(
    issuer: Issuer, issuer_dir: Path
) -> None:
    app = service(settings_for(issuer_dir), shelves())

    async with calling(app, token_for(issuer)) as client:
        answer = await client.get("/shelves/a?kind=red&limit=2")

    assert answer.status_code == 200
