"""The faults that running the containers as a whole has shown, each held by its form."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.privacy.versions import KeyVersions
from tests.architecture.tree import ROOT, tracked_files
from tests.compose.__main__ import GUIDE, YEAR
from tests.guides.console import commands

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
REAL = ROOT / "deploy" / "compose" / "real.yml"
SCRIPTS = [
    path
    for path in tracked_files()
    if path.parts[0] == "deploy" and (ROOT / path).read_bytes().startswith(b"#!/usr/bin/env bash")
]


def networks_of(name: str) -> set[str]:
    return set(CONTAINERS[name].get("networks", ()))


# -- Images


def test_an_image_is_built_from_the_base_alone() -> None:
    sources = re.findall(r"^FROM (\S+)(?: AS (\S+))?", DOCKERFILE, re.MULTILINE)
    stages = {stage for _, stage in sources}

    assert "# syntax" not in DOCKERFILE  # another image, and pinned by nobody
    assert {source for source, _ in sources} <= {"${PYTHON_IMAGE}", *stages}


def test_what_the_programs_read_of_the_tree_is_in_the_image() -> None:
    let_through = (ROOT / ".dockerignore").read_text()

    for each in ("contracts", "docs/problems", "deploy/services.toml"):
        assert re.search(rf"^COPY .*{each}\b", DOCKERFILE, re.MULTILINE)
        assert f"!{each}\n" in let_through


def test_an_image_is_built_by_one_container() -> None:
    built = {n: each["build"]["target"] for n, each in CONTAINERS.items() if "build" in each}

    assert built == {"migrate": "platform", "pkh": "tools"}
    for name, each in CONTAINERS.items():
        if each["image"] == CONTAINERS["migrate"]["image"] and name not in built:
            assert each["pull_policy"] == "never"


def test_whoever_checked_out_for_themselves_alone_has_an_image_that_runs() -> None:
    copied = DOCKERFILE.rindex("COPY deploy/*.py")

    assert "RUN chmod -R a+rX ." in DOCKERFILE[copied:]


def test_each_base_image_has_a_stand_in_but_for_those_that_the_test_leaves_out() -> None:
    script = (ROOT / "deploy" / "standins" / "base-images").read_text()
    bases = {n for n, each in CONTAINERS.items() if not each["image"].startswith("pkh-")}

    left_out = {
        name for name in bases if f"{CONTAINERS[name]['image'].split(':')[0]})" not in script
    }

    assert left_out == {"tempo", "grafana"}


# -- Checks of health


def test_the_check_of_a_service_imports_no_more_than_it_asks_with() -> None:
    asked = "import sys, deploy.health; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, check=True)

    assert not {"asyncpg", "opentelemetry", "urllib.request", "pydantic"} & {
        *done.stdout.decode().split()
    }


def test_no_check_starts_a_java_machine() -> None:
    assert CONTAINERS["kafka"]["healthcheck"]["test"][:2] == ["CMD", "bash"]


def test_a_relay_is_asked_seldom_because_the_question_connects_to_its_database() -> None:
    for name in [each for each in CONTAINERS if each.endswith("-relay")]:
        assert CONTAINERS[name]["healthcheck"]["interval"] == "30s"


def test_a_check_that_took_too_long_is_reaped() -> None:
    for name in ("kafka", "registry", "registry-relay", "issuer", "bank"):
        assert CONTAINERS[name]["init"] is True


def test_a_half_made_cluster_is_not_healthy() -> None:
    script = (ROOT / "deploy" / "postgres" / "init" / "10-roles.sh").read_text()
    asked = CONTAINERS["postgres"]["healthcheck"]["test"][1]
    plan = script[script.index("\nplan() {") : script.index("# end roles")]
    [*_, last] = [line.split() for line in plan.rstrip().splitlines()]

    assert last[:2] == ["make_database", "pkh_keys"]
    assert f"-d {last[1]} " in asked
    assert f"has_schema_privilege('{last[-1]}', 'public', 'USAGE')" in asked


@pytest.mark.parametrize("content", [None, ""], ids=["missing", "empty"])
def test_a_role_without_a_password_is_not_made(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "pkh_keys_owner.password").write_text(content)
    psql = tmp_path / "psql"
    psql.write_text(f'#!/bin/sh\ncat >> "{tmp_path}/asked"\n')
    psql.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SECRETS": str(tmp_path)}

    made = subprocess.run(
        ["bash", ROOT / "deploy" / "postgres" / "init" / "10-roles.sh"],
        env=environment | {"POSTGRES_USER": "postgres"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 1
    assert made.stderr == "pkh_keys_owner.password cannot be read\n"
    assert not (tmp_path / "asked").exists()


# -- Limits and borders


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_a_limit_of_memory_and_of_processes(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", CONTAINERS[name]["mem_limit"])
    assert CONTAINERS[name]["pids_limit"] >= 64


def test_only_who_has_somebody_to_ask_reaches_outside() -> None:
    without = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    doors = {name for name, each in COMPOSE["networks"].items() if "driver_opts" in each}

    assert doors == {"doors", "screens"}
    assert all(COMPOSE["networks"][name]["driver_opts"] == without for name in doors)
    assert {n for n in CONTAINERS if networks_of(n) & {"outside", "webhooks"}} == {"alertmanager"}
    for name, each in CONTAINERS.items():
        assert ("ports" in each) is bool(networks_of(name) & doors), name


def test_a_container_leaves_no_volume_without_a_name() -> None:
    declared = {"/etc/kafka/secrets", "/mnt/shared/config", "/var/lib/kafka/data"}  # by its image
    kafka = CONTAINERS["kafka"]
    named = {each.partition(":")[2] for each in kafka["volumes"]}

    assert declared == named | set(kafka["tmpfs"])


# -- Kafka


def test_no_listener_of_kafka_is_in_clear_and_what_no_entry_allows_is_refused() -> None:
    settings = CONTAINERS["kafka"]["environment"]
    protocols = dict(
        each.split(":") for each in settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    listeners = {each.split("://")[0] for each in settings["KAFKA_LISTENERS"].split(",")}

    assert listeners == protocols.keys()
    assert {*protocols.values()} == {"SASL_SSL", "SSL"}
    for name in (name for name, protocol in protocols.items() if protocol == "SSL"):
        assert settings[f"KAFKA_LISTENER_NAME_{name}_SSL_CLIENT_AUTH"] == "required"
    assert settings["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"
    assert settings["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
    assert settings["KAFKA_SUPER_USERS"] == "User:kafka;User:pkh_bus_owner"


def test_the_secrets_of_kafka_are_made_once_and_its_ca_has_no_key(tmp_path: Path) -> None:
    deploy, secrets = tmp_path / "deploy", tmp_path / "secrets"
    deploy.mkdir()
    shutil.copy(ROOT / "deploy" / "make-secrets", deploy)

    def made() -> dict[str, bytes]:
        subprocess.run([deploy / "make-secrets"], capture_output=True, check=True)
        return {path.name: path.read_bytes() for path in secrets.iterdir()}

    first = made()
    assert made() == first
    assert {"kafka-ca.pem", "kafka.keystore.pem", "pkh_bus_owner.pem"} <= first.keys()
    assert "kafka-ca.key" not in first
    for name in ("kafka.keystore.pem", "pkh_bus_owner.pem"):
        asked = ["openssl", "verify", "-CAfile", f"{secrets}/kafka-ca.pem", f"{secrets}/{name}"]
        subprocess.run(asked, capture_output=True, check=True)
    assert len({value for name, value in first.items() if name.endswith(".kafka")}) == sum(
        name.endswith(".kafka") for name in first
    )


OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@pytest.mark.parametrize(
    ("shared", "opens"),
    [
        ("", KeyVersions()),
        (KeyVersions.of(OLD).written(), KeyVersions.of(OLD)),
        (
            KeyVersions(2, {2: NEW}, bytes(32), {3: "kek-3"}).written(),
            KeyVersions(2, {2: NEW}, None, {3: "kek-3"}),
        ),
        (base64.b64encode(OLD).decode(), KeyVersions.of(OLD)),
    ],
)
def test_complaints_has_a_key_of_its_own_that_opens_what_the_shared_one_wrapped(
    tmp_path: Path, shared: str, opens: KeyVersions
) -> None:
    deploy, secrets = tmp_path / "deploy", tmp_path / "secrets"
    deploy.mkdir()
    secrets.mkdir()
    shutil.copy(ROOT / "deploy" / "make-secrets", deploy)
    if shared:
        (secrets / "kek").write_text(shared)

    subprocess.run([deploy / "make-secrets"], capture_output=True, check=True)

    own = KeyVersions.read((secrets / "complaints.kek").read_text())
    made = own.secrets[own.in_use]
    assert own == opens.renewed(made)
    assert made not in KeyVersions.read((secrets / "kek").read_text()).secrets.values()


# -- Whom an alert is told


def test_an_alert_reaches_a_person() -> None:
    routing = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())
    routes = [routing["route"], *routing["route"]["routes"]]
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    [asked] = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]

    assert {each["receiver"] for each in routes} == {each["name"] for each in routing["receivers"]}
    assert asked.partition(":")[0] in CONTAINERS


# -- Real issuers and partners


def real() -> dict[str, Any]:
    """The override file; what it takes away is None."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!reset", lambda *_: None)
    Loader.add_constructor("!override", constructed)
    found: dict[str, Any] = yaml.load(REAL.read_text(), Loader)
    return found


def constructed(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


def test_where_the_issuer_is_real_no_key_of_ours_is_trusted() -> None:
    services = real()["services"]
    trusting = {
        n for n, each in CONTAINERS.items() if "PKH_JWKS_FILE" in each.get("environment", {})
    }

    assert {name for name, each in services.items() if each is None} == {
        *("issuer", "treasury", "bank", "pkh")
    }
    assert {name for name, each in services.items() if each} == trusting
    for name in trusting:
        assert services[name]["environment"]["PKH_JWKS_FILE"] == ""
        assert services[name]["environment"]["PKH_ISSUERS_FILE"] == "/identity/issuers.yaml"
        # Whoever is asked by people needs the key sets, which are outside.
        assert name == "rebuild" or "outside" in services[name]["networks"]
        [mounted] = [each for each in services[name]["volumes"] if ":/identity:ro" in each]
        assert mounted.startswith("${PKH_ISSUERS_DIR:?")


# -- Tools


def test_the_card_of_the_tools_names_what_is_there() -> None:
    card = json.loads((ROOT / "deploy" / "platform.json").read_text())

    for scheme, places in (("http", card["services"]), ("https", card["simulators"])):
        for name, address in places.items():
            assert address == f"{scheme}://{name}:8000"
            assert name in CONTAINERS
    assert card["bus"]["url"] == CONTAINERS["registry"]["environment"]["PKH_BUS_URL"]
    for name in card["services"]:
        address = CONTAINERS[name]["environment"]["PKH_DATABASE_URL"]
        assert card["database"].format(service=name) == address


def test_a_password_is_changed_in_the_database_before_its_file(tmp_path: Path) -> None:
    deploy, secrets = tmp_path / "deploy", tmp_path / "secrets"
    deploy.mkdir()
    secrets.mkdir()
    shutil.copy(ROOT / "deploy" / "change-password", deploy)
    (secrets / "pkh_x.password").write_text("old\n")
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\ncat > "{tmp_path}/asked"\n[ ! -e "{tmp_path}/away" ]\n')
    docker.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def change() -> int:
        command = [str(deploy / "change-password"), "pkh_x"]
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode

    (tmp_path / "away").touch()
    assert change() != 0
    assert (secrets / "pkh_x.password").read_text() == "old\n"
    first = (tmp_path / "asked").read_text()
    (tmp_path / "away").unlink()
    assert change() == 0
    new = (secrets / "pkh_x.password").read_text().strip()
    assert (tmp_path / "asked").read_text() == f"ALTER ROLE pkh_x PASSWORD '{new}';\n" == first
    assert {path.name for path in secrets.iterdir()} == {"pkh_x.password"}


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_script_is_bash_and_can_be_run(script: Path) -> None:
    checked = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert os.access(ROOT / script, os.X_OK) or script.name in ("kafka-run", "postgres-entrypoint")


@pytest.mark.parametrize("over", ["deploy/standins/compose.yml", "deploy/compose/real.yml"])
def test_docker_compose_takes_the_files(over: str) -> None:
    asked = ["docker", "compose"]
    if (
        not shutil.which("docker")
        or subprocess.run([*asked, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker compose")
    named = (
        "PKH_ISSUERS_DIR",
        "PKH_TREASURY_URL",
        "PKH_BANK_URL",
        "PKH_SERVICE_TOKEN_DIR",
        "PKH_REGISTRY_TOKEN_DIR",
    )
    environment = {**os.environ, **dict.fromkeys(named, "/x")}
    files = ("-f", "docker-compose.yml", "-f", over, "--profile", "watch", "--profile", "tools")

    done = subprocess.run(
        [*asked, *files, "config", "--quiet"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_guide_is_run_as_a_whole_by_night() -> None:
    makefile = (ROOT / "Makefile").read_text()
    shown = [command.text for command in commands((ROOT / GUIDE).read_text())]

    assert "-m tests.compose --where-possible" in makefile[makefile.index("nightly:") :]
    assert f"export PKH_BOOKS=./{YEAR} COMPOSE_PROFILES=watch" in shown
    for verb in ("import", "tahap run", "token", "verify"):
        assert any(f"pkh {verb}" in text for text in shown), verb
