"""Compose file, roles, secrets and scrape targets are those of deploy/services.toml."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from libs.chassis.catalogue import CatalogueRefused
from tests.architecture.tree import ROOT
from tools.deployment import REGIONS, WHOLE, MarkMissing, drift, filled, main, write

PURSES = """
[purses]
title = "Purses"
port = 8009
publishes = ["pkh.purses.purse.v1"]
needs = ["token-key", "service-token"]
calls = ["registry"]
readers = ["auditor"]
"""
TOPIC = """
  pkh.purses.purse.v1:
    {key: family, partitions: 12, owner: purses, data_class: pseudonymous}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is generated and of what it is generated from."""
    for path in (*REGIONS, *WHOLE, "deploy/services.toml", "contracts/topics.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for service in (ROOT / "services").glob("*/main.py"):
        describe_room(tmp_path, service.parent.name)
    return tmp_path


def describe_room(tree: Path, name: str) -> None:
    (tree / "services" / name).mkdir(parents=True)
    (tree / "services" / name / "main.py").touch()


@pytest.fixture
def with_purses(tree: Path) -> Path:
    """The copy with a fifth service described in it."""
    describe_room(tree, "purses")
    for path, more in (("deploy/services.toml", PURSES), ("contracts/topics.yaml", TOPIC)):
        with (tree / path).open("a") as file:
            file.write(more)
    return tree


def test_what_is_committed_is_what_services_toml_says() -> None:
    assert drift() == []


def test_checking_says_nothing_where_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_argument_is_refused() -> None:
    assert main(["--chekc"]) == 2


def test_a_change_by_hand_is_told_and_mended(tree: Path) -> None:
    compose = tree / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("127.0.0.1:8001:8000", "0.0.0.0:8001:8000"))

    assert drift(tree) == [
        "docker-compose.yml is not what deploy/services.toml says; run: make deployment"
    ]
    write(tree)
    assert drift(tree) == []


def test_a_service_that_is_described_is_wired_everywhere(with_purses: Path) -> None:
    by_hand = "deploy/compose/real.yml"  # of whoever has a token of its own
    assert len(drift(with_purses)) == len(REGIONS.keys() - {by_hand}) + len(WHOLE)

    write(with_purses)

    compose = yaml.safe_load((with_purses / "docker-compose.yml").read_text())
    service, relay = compose["services"]["purses"], compose["services"]["purses-relay"]
    assert service["command"] == ["python", "-m", "services.purses.main"]
    assert service["ports"] == ["127.0.0.1:8009:8000"]
    at_kafka = ["database-ca.pem", "pkh_purses.kafka", "kafka-ca.pem"]
    assert service["secrets"] == ["pkh_purses.password", *at_kafka, "cursor-key", "token-key"]
    assert relay["secrets"] == ["pkh_purses_relay.password", *at_kafka]
    for each in (service, relay):
        assert each["environment"]["PKH_KAFKA_USER"] == "pkh_purses"
    assert "PKH_PURSES_KAFKA_PASSWORD_FILE" in compose["services"]["migrate"]["environment"]
    assert service["environment"]["PKH_REGISTRY_URL"] == "http://registry:8000"
    assert service["volumes"] == ["identity:/identity:ro", "spool:/spool", "purses-token:/token:ro"]
    assert relay["environment"]["PKH_RELAYED"] == "purses"
    assert "purses-token" in compose["volumes"]
    assert "--token=purses=/tokens/purses" in compose["services"]["issuer"]["command"]
    for name in ("pkh_purses", "pkh_purses_owner", "pkh_purses_relay", "pkh_auditor"):
        assert f"{name}.password" in compose["secrets"]
        assert f"{name}.password" in compose["services"]["postgres"]["secrets"]
    roles = (with_purses / "deploy/postgres/init/10-roles.sh").read_text()
    made = ("make_service purses", "make_relay purses", "make_reader purses pkh_auditor 8")
    assert "".join(f"\n  {each}" for each in made) in roles
    targets = json.loads((with_purses / "deploy/prometheus/targets/services.json").read_text())
    assert {"targets": ["purses:9464"], "labels": {"service": "purses"}} in targets


def test_people_sign_in_at_the_service_that_needs_it_where_partners_are_real(tree: Path) -> None:
    described = tree / "deploy" / "services.toml"
    described.write_text(described.read_text().replace(', "console"]', "]"))
    own = "    PKH_CONSOLE_FILE: ${PKH_CONSOLE_FILE-/identity/console.yaml}\n"
    overlay = tree / "deploy" / "compose" / "real.yml"
    assert own in overlay.read_text()
    assert "PKH_ISSUERS_DIR" in overlay.read_text().partition(":/identity:ro")[0]

    write(tree)

    assert "  projection: *real\n" in overlay.read_text()
    assert "PKH_CONSOLE_FILE-" not in overlay.read_text()


def test_who_writes_or_reads_from_outside_has_a_password_of_its_own(tree: Path) -> None:
    contracts = tree / "contracts" / "topics.yaml"
    text = contracts.read_text().replace(
        "integrators: {}", "integrators: {observatory: [pkh.payments.tahap.v1]}"
    )
    contracts.write_text(
        text + "  pkh.inbound.deaths.v1: {key: person, partitions: 1, writers: [dukcapil],"
        " data_class: sealed, readers: [registry]}\n"
    )

    write(tree)

    compose = yaml.safe_load((tree / "docker-compose.yml").read_text())
    migrate = compose["services"]["migrate"]
    secrets = (tree / "deploy" / "make-secrets").read_text()
    for user in ("pkh_inbound_dukcapil", "pkh_outside_observatory"):
        file = f"{user}.kafka"
        assert f"make_secret {file}\n" in secrets
        assert compose["secrets"][file] == {"file": f"./secrets/{file}"}
        variable = f"{user.upper()}_KAFKA_PASSWORD_FILE"
        assert migrate["environment"][variable] == f"/run/secrets/{file}"
        holders = [
            name for name, each in compose["services"].items() if file in each.get("secrets", ())
        ]
        assert holders == ["migrate"]


def test_a_description_that_is_wrong_writes_nothing(with_purses: Path) -> None:
    described = with_purses / "deploy" / "services.toml"
    described.write_text(described.read_text().replace("8009", "8001"))
    before = (with_purses / "docker-compose.yml").read_text()

    with pytest.raises(CatalogueRefused, match="port 8001 is another service's too"):
        write(with_purses)

    assert (with_purses / "docker-compose.yml").read_text() == before


def test_marks_that_are_gone_are_named(tree: Path) -> None:
    with pytest.raises(MarkMissing, match="# begin roles"):
        filled("nothing\n", "roles", [])


def test_what_is_by_hand_stays_and_the_marks_say_how_far_it_is_indented() -> None:
    text = "a:\n  # begin names\n  - old\n  # end names\n  - own\n"

    assert filled(text, "names", ["- new"]) == (
        "a:\n  # begin names\n  - new\n  # end names\n  - own\n"
    )
