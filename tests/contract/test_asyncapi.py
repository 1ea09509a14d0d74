"""contracts/asyncapi.yaml: what the reference parser makes of it, and what an integrator finds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from libs.events.bus.topics import Topics
from tools.contracts.asyncapi import DOCUMENT
from tools.contracts.generate import CONTRACTS, messages

ORACLE = Path(__file__).parent / "asyncapi"
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CONTRACTS / DOCUMENT).read_text("utf-8"))
    return found


def parsed(path: Path) -> list[str]:
    if NODE is None or not (ORACLE / "node_modules").is_dir():
        pytest.skip("needs Node and `npm ci --prefix tests/contract/asyncapi`")
    said = subprocess.run(
        [NODE, ORACLE / "check.mjs", path], capture_output=True, text=True, check=True, timeout=60
    )
    return said.stdout.splitlines()


def test_the_reference_parser_understands_every_message_and_has_nothing_to_say() -> None:
    assert parsed(CONTRACTS / DOCUMENT) == [f"understood {len(messages())} messages"]


def test_the_reference_parser_would_say_what_is_wrong(
    document: dict[str, Any], tmp_path: Path
) -> None:
    name = "pkh.payments.payment.v1"
    wrong = {**document, "operations": {name: {**document["operations"][name], "action": "shout"}}}
    (tmp_path / DOCUMENT).write_text(yaml.safe_dump(wrong))

    said = parsed(tmp_path / DOCUMENT)

    assert any(line.startswith(f"error operations.{name}.action") for line in said)


def test_every_topic_is_a_channel_with_its_partitions(document: dict[str, Any]) -> None:
    found = {
        name: channel["bindings"]["kafka"]["partitions"]
        for name, channel in document["channels"].items()
    }
    assert found == Topics.load(CONTRACTS).partitions


def test_every_example_is_valid_by_the_payload_beside_it(document: dict[str, Any]) -> None:
    for message in document["components"]["messages"].values():
        schema = {**message["payload"], "components": document["components"]}
        [example] = message["examples"]
        wrong = Draft202012Validator(schema).iter_errors(example["payload"])
        assert [error.message for error in wrong] == [], message["name"]
