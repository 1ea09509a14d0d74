"""A service consumes and publishes what deploy/services.toml says of it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libs.chassis.catalogue import catalogue
from libs.events.consumer.subscription import Subscription
from tests.doors import TOPICS


def subscriptions(service: str) -> Iterator[Subscription]:
    """The subscriptions of a service, which some make from their policies; one may have none."""
    if importlib.util.find_spec(f"services.{service}.consumers") is None:
        return
    consumers = importlib.import_module(f"services.{service}.consumers")
    main: Any = importlib.import_module(f"services.{service}.main")
    if hasattr(consumers, "SUBSCRIPTIONS"):
        yield from consumers.SUBSCRIPTIONS
    else:
        make = consumers.subscriptions
        more = make.__code__.co_argcount - 1  # what a handler works with is not asked for here
        policies = getattr(main, "RULE_SETS", None) or main.POLICIES
        yield from make(policies, *(None for _ in range(more)))


@pytest.mark.parametrize("service", catalogue().names)
def test_a_service_reads_the_topics_that_it_is_said_to(service: str) -> None:
    read = {each.topic for each in subscriptions(service)}
    assert read == set(catalogue().services[service].reads)


@pytest.mark.parametrize("service", catalogue().publishers)
def test_a_service_publishes_to_the_topics_that_it_is_said_to(service: str) -> None:
    contract = importlib.import_module(f"services.{service}.contract")
    source = ast.parse(Path(str(contract.__file__)).read_text("utf-8"))
    named = {
        vars(contract).get(call.args[0].id)
        for call in ast.walk(source)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in {"Message", "published"}
        and isinstance(call.args[0], ast.Name)
    }
    narrowed = {topic for topic, narrowing in TOPICS.narrowings.items() if narrowing.topic in named}
    assert named | narrowed == set(catalogue().services[service].publishes)
