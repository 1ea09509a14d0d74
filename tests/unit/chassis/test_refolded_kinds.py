"""A service names every kind of its streams, so that none is left out when streams are folded."""

from __future__ import annotations

from importlib import import_module

import pytest

from libs.chassis.catalogue import catalogue
from libs.chassis.description import Service
from libs.events.store.model import StreamType


@pytest.mark.parametrize("name", catalogue().names)
def test_a_service_names_all_kinds_of_its_streams(name: str) -> None:
    contract = import_module(f"services.{name}.contract")
    service: Service = import_module(f"services.{name}.main").SERVICE
    kept = {kind.name for kind in vars(contract).values() if isinstance(kind, StreamType)}

    assert {kind.name for kind in service.streams} == kept
