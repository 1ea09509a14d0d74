"""The explanation's own copies of messages read what their publishers send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events.store.model import encode
from services.projection.explanation.messages import OF_FAMILY
from services.projection.explanation.tahap_messages import OF_TAHAP
from tests.contract.test_contracts import is_part_of

CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.mark.parametrize("message", [*OF_FAMILY, *OF_TAHAP], ids=lambda kind: kind.__name__)
def test_a_copy_says_nothing_but_what_the_golden_example_says(message: type[Any]) -> None:
    *_, example = sorted(CONTRACTS.glob(f"*/{message.__name__}.v*.example.json"))

    read = msgspec.json.decode(example.read_bytes(), type=message)

    assert is_part_of(json.loads(encode(read)), json.loads(example.read_bytes()))
