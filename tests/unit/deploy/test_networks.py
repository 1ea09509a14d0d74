"""Which container reaches which: whoever is on a network asks somebody there, or is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from libs.chassis.catalogue import catalogue
from tests.architecture.tree import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
NETWORKS: Final[dict[str, dict[str, Any]]] = COMPOSE["networks"]
DOORS: Final = {"doors", "screens", "outside", "webhooks"}
"""Networks that lead out of the containers, and from one to another as any."""
ADDRESS: Final = re.compile(r"(?:[a-z]+://)?(?:[a-z0-9_]+@)?([a-z][a-z0-9-]*):[0-9]+")
CONFIGURED: Final = {
    "collector": ("otel/collector.yaml",),
    "tempo": ("tempo/tempo.yaml",),
    "prometheus": (
        "prometheus/prometheus.yml",
        "prometheus/targets/services.json",
        "prometheus/targets/watchers.json",
    ),
    "alertmanager": ("alertmanager/alertmanager.yml",),
    "grafana": ("grafana/provisioning/datasources/pkh.yaml",),
    "pkh": ("platform.json",),
}
"""Who is told by a file of deploy/ whom to ask."""
PRINTED: Final = {"treasury", "bank", "kafka"}
"""Whom `pkh` never asks, though its card has their addresses: it prints them."""


def networks_of(name: str) -> set[str]:
    return set(CONTAINERS[name].get("networks", ()))


def named(name: str) -> Iterator[str]:
    """Every container that a container is told the address of."""
    yield from (urlsplit(value).hostname or "" for value in environment_of(name) if "://" in value)
    for path in CONFIGURED.get(name, ()):
        yield from ADDRESS.findall((ROOT / "deploy" / path).read_text())
    if name == "pkh":
        yield "postgres"


def environment_of(name: str) -> list[str]:
    environment: dict[str, str] = CONTAINERS[name].get("environment", {})
    return [*environment.values()]


def asked_by(name: str) -> set[str]:
    """Whom a container asks."""
    others = {other for other in named(name) if other in CONTAINERS and other != name}
    return others - PRINTED if name == "pkh" else others


def reached_by(name: str) -> set[str]:
    """Whom a container could ask: everybody on one of its networks."""
    own = networks_of(name)
    return {other for other in CONTAINERS if own & networks_of(other)} - {name}


# -- Whoever asks can, and for no other reason is anybody on a network -----------------------------


@pytest.mark.parametrize("name", CONTAINERS)
def test_whoever_asks_another_is_on_a_network_with_it(name: str) -> None:
    assert asked_by(name) <= reached_by(name)


@pytest.mark.parametrize("network", sorted(NETWORKS.keys() - DOORS))
def test_whoever_is_on_a_network_asks_somebody_there_or_is_asked(network: str) -> None:
    members = [name for name in CONTAINERS if network in networks_of(name)]
    pairs = [
        {one, other}
        for one, other in combinations(members, 2)
        if other in asked_by(one) or one in asked_by(other)
    ]

    assert {*members} - {name for pair in pairs for name in pair} == set()


def test_a_network_inside_leads_nowhere_else() -> None:
    assert {name for name, each in NETWORKS.items() if not (each or {}).get("internal")} == DOORS
    used = {network for name in CONTAINERS for network in networks_of(name)}
    assert used == {*NETWORKS} - {"outside"}  # for real partners, deploy/compose/real.yml


def test_no_container_is_on_the_network_that_compose_gives_unasked() -> None:
    for name, each in CONTAINERS.items():
        assert bool(networks_of(name)) is (each.get("network_mode") != "none"), name


# -- What whoever took a container over would reach ------------------------------------------------


def test_grafana_reaches_its_sources_and_nobody_else() -> None:
    assert reached_by("grafana") == {"prometheus", "tempo", "postgres"}


@pytest.mark.parametrize("partner", ["treasury", "bank"])
def test_a_partner_reaches_who_asks_partners_and_no_database(partner: str) -> None:
    partners = {name for name, entry in catalogue().services.items() if entry.partners}

    assert reached_by(partner) - {"treasury", "bank"} == partners


def test_who_tells_the_world_outside_is_told_by_prometheus_alone() -> None:
    assert reached_by("alertmanager") == {"prometheus"}


def test_whoever_signs_tokens_is_reached_by_nobody() -> None:
    assert reached_by("issuer") == set()


@pytest.mark.parametrize("watcher", ["prometheus", "collector", "tempo", "alertmanager"])
def test_no_watcher_reaches_a_database_or_the_bus(watcher: str) -> None:
    assert not reached_by(watcher) & {"postgres", "kafka"}


def test_the_bus_is_reached_by_those_who_have_its_address_alone() -> None:
    having = {
        name for name in CONTAINERS if any("kafka://" in value for value in environment_of(name))
    }

    assert {name for name in CONTAINERS if "kafka" in reached_by(name)} == having
