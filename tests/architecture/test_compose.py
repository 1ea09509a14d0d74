"""The form of docker-compose.yml: a service has what it needs and nothing that it must not have."""

from __future__ import annotations

import importlib
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from libs.chassis.catalogue import catalogue
from libs.chassis.dev_certificates import Authority, make_certificates
from libs.chassis.dev_partner_keys import OWN, REGISTER, make_partner_keys
from libs.chassis.settings import Settings
from tests.architecture.tree import ROOT, python_files, service_names
from tools.deployment import DATABASE_CA, KAFKA_CA

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {"migrate", "pkh", "rebuild"}  # ends by itself; for migrate's success others wait
OURS = {name for name, each in CONTAINERS.items() if each["image"].startswith("pkh-platform:")}
OUTSIDERS = [user.removeprefix("pkh_") for user in catalogue().outsiders]
SERVICES = [name for name in service_names() if (ROOT / "services" / name / "main.py").exists()]
NAME = re.compile(r"(?:PKH|OTEL)_[A-Z_]+")

# Its start script writes into its own file system.
WRITABLE = {"kafka"}

# Their images hold one program and nothing that could ask it; Prometheus tells when one is gone.
SILENT = {"collector", "tempo"}
WATCHERS = {*SILENT, "prometheus", "alertmanager", "grafana"}


def environment_of(name: str) -> dict[str, str]:
    environment: dict[str, str] = CONTAINERS[name].get("environment", {})
    return environment


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_there_and_runs_its_own_program(service: str) -> None:
    assert CONTAINERS[service]["command"] == ["python", "-m", f"services.{service}.main"]


@pytest.mark.parametrize("name", sorted(OURS - {*service_names()} | {*SERVICES}))
def test_what_a_container_runs_is_a_program(name: str) -> None:
    python, flag, module = CONTAINERS[name]["command"][:3]
    program = ROOT / f"{module.replace('.', '/')}.py"

    assert (python, flag) == ("python", "-m")
    assert 'if __name__ == "__main__":' in program.read_text()


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_says_whether_it_is_healthy_or_ends_by_itself(name: str) -> None:
    if name in JOBS:
        assert CONTAINERS[name]["restart"] == "no"
        return
    assert CONTAINERS[name]["restart"] == "unless-stopped"
    if name in SILENT:
        assert name in scraped()
    else:
        assert CONTAINERS[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    container = CONTAINERS[name]

    assert container["user"] not in ("root", "0", "0:0")
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]
    assert not container.get("privileged")
    assert container.get("read_only", False) is (name not in WRITABLE)


@pytest.mark.parametrize("name", CONTAINERS)
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    _, _, tag = CONTAINERS[name]["image"].partition(":")

    assert re.match(r"v?\d+(\.\d+)*", tag)


def test_the_broker_is_the_one_that_tests_start() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    version = CONTAINERS["kafka"]["image"].partition(":")[2]

    assert f"<artifactId>kafka_2.13</artifactId>\n      <version>{version}</version>" in pom


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_secret_is_a_file_and_stands_in_no_environment(name: str) -> None:
    for variable, value in environment_of(name).items():
        if re.search(r"PASSWORD|SECRET|KEY(?!STORE)|KEK|TOKEN", variable):
            assert variable.endswith(("_FILE", "_URL")), variable
        assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{variable} holds a password"


MOUNTED = ("/spool", "/identity", "/token")


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_the_directories_that_its_environment_names(name: str) -> None:
    named = {top for top in MOUNTED for v in environment_of(name).values() if v.startswith(top)}

    assert named <= {str(volume).split(":")[1] for volume in CONTAINERS[name].get("volumes", ())}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_given_the_secrets_that_it_reads_and_no_others(name: str) -> None:
    read = {
        Path(value).name
        for value in environment_of(name).values()
        if value.startswith("/run/secrets/")
    }
    command = CONTAINERS[name].get("command", [])
    if name in ("treasury", "bank", "postgres"):  # they are told by their arguments
        said = " ".join([*CONTAINERS[name].get("entrypoint", []), *command])
        read |= set(re.findall(r"/run/secrets/(\S+)", said))
    if name == "postgres":  # the script that makes the roles reads their passwords
        read |= {each for each in COMPOSE["secrets"] if re.fullmatch(r"pkh_.*\.password", each)}
    if name == "grafana":  # what it is provisioned with names them
        sources = (ROOT / "deploy" / "grafana" / "provisioning").rglob("*.yaml")
        text = "\n".join(path.read_text() for path in sources)
        read |= set(re.findall(r"/run/secrets/([^}\s]+)", text))

    if name == "pkh":  # its card of the platform names the databases
        card = json.loads((ROOT / "deploy" / "platform.json").read_text())
        user = str(urlsplit(card["database"]).username)
        read |= {f"{user.format(service=service)}.password" for service in card["services"]}
    if name == "alertmanager":
        text = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
        read = set(re.findall(r"/run/secrets/(\S+)", text))

    given = CONTAINERS[name].get("secrets", [])
    assert {each["source"] if isinstance(each, dict) else each for each in given} == read


def test_the_secrets_are_those_that_make_secrets_makes(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make-secrets"
    script.parent.mkdir()
    script.write_text((ROOT / "deploy" / "make-secrets").read_text())
    script.chmod(0o600)  # as checked out for oneself alone, which no container could read

    assert os.spawnlp(os.P_WAIT, "bash", "bash", str(script)) == 0

    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert script.stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("name", sorted(OURS))
def test_an_environment_names_only_what_the_code_reads(name: str) -> None:
    for variable in environment_of(name):
        assert is_read(variable), variable


def is_read(variable: str) -> bool:
    if variable in literal_names():
        return True
    if variable.endswith("_PASSWORD_FILE"):  # read beside its URL
        return is_read(variable.removesuffix("_PASSWORD_FILE") + "_URL")
    # Names that are made from a service's name.
    other = "|".join(each.upper() for each in [*service_names(), "treasury", "bank", *OUTSIDERS])
    return bool(re.fullmatch(rf"PKH_({other})(_OWNER|_DATABASE|_KAFKA)?_URL", variable))


@cache
def literal_names() -> set[str]:
    tops = ("libs", "services", "console", "simulators", "deploy")
    return {
        name for path in python_files(*tops) for name in NAME.findall((ROOT / path).read_text())
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_its_environment(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        name: with_files(value, tmp_path) for name, value in environment_of(service).items()
    }
    for name in [each for each in os.environ if each.startswith("PKH_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    settings: Settings = importlib.import_module(f"services.{service}.main").SERVICE.settings()

    assert settings.service == service
    assert f"pkh_{service}:" in settings.database_url
    assert settings.host == "0.0.0.0"


def with_files(value: str, directory: Path) -> str:
    """The value, its file put under `directory` with what can be a key in it, or its directory."""
    if not value.startswith(("/run/secrets/", "/identity/", "/token/", "/spool")):
        return interpolated(value)
    path = directory / value.lstrip("/")
    if value == "/spool":
        path.mkdir()
        return str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name in (OWN, REGISTER):
        make_partner_keys(path.parent, ["BNI"])
        return str(path)
    if path.name in (DATABASE_CA, KAFKA_CA):
        path.write_text(Authority.make("Servers").pem)
        return str(path)
    if path.suffix in (".pem", ".key"):
        make_certificates(path.parent, [], ["payments"], "127.0.0.1")
        return str(path)
    path.write_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\n")
    return str(path)


def interpolated(value: str) -> str:
    """The value where nobody has set the variables that it names: their defaults."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)


def test_a_service_reaches_only_its_own_database() -> None:
    for service in service_names():
        for variable, value in environment_of(service).items():
            if variable.startswith(("PKH_DATABASE", "PKH_KEYS")) and DATABASE_CA not in value:
                assert f"pkh_{service}" in value


def test_the_databases_are_not_reachable_from_outside() -> None:
    for name in ("postgres", "kafka"):
        for network in CONTAINERS[name]["networks"]:
            assert COMPOSE["networks"][network]["internal"] is True
        assert "ports" not in CONTAINERS[name]
    for container in CONTAINERS.values():
        assert all(port.startswith("127.0.0.1:") for port in container.get("ports", []))


def scraped() -> dict[str, str]:
    """{container: address} of everything that Prometheus is told to ask."""
    files = (ROOT / "deploy" / "prometheus" / "targets").glob("*.json")
    targets = [target for path in files for target in json.loads(path.read_text())]
    return {each["labels"]["service"]: each["targets"][0] for each in targets}


@pytest.mark.parametrize("name", sorted(SERVICES) + [n for n in sorted(OURS) if "-relay" in n])
def test_a_service_and_a_relay_are_watched(name: str) -> None:
    environment = environment_of(name)

    assert scraped()[name] == f"{name}:{environment['PKH_METRICS_PORT']}"
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
    assert not any(environment["PKH_METRICS_PORT"] in port for port in ports_of(name))


def ports_of(name: str) -> list[str]:
    published: list[str] = CONTAINERS[name].get("ports", [])
    return published


def profiles_of(name: str) -> list[str]:
    profiles: list[str] = CONTAINERS[name].get("profiles", [])
    return profiles


def test_nothing_is_scraped_that_is_not_there() -> None:
    for name, address in scraped().items():
        assert address.partition(":")[0] == name
        assert name in CONTAINERS


@pytest.mark.parametrize("name", sorted(WATCHERS))
def test_what_a_watcher_is_configured_with_is_in_the_repository(name: str) -> None:
    mounted = [each for each in CONTAINERS[name]["volumes"] if each.startswith("./")]

    assert mounted
    for each in mounted:
        source, _, mode = each.split(":")
        assert (ROOT / source).exists()
        assert mode == "ro"


def test_nothing_waits_for_a_watcher_and_all_of_them_come_and_go_together() -> None:
    assert {name for name in CONTAINERS if "watch" in profiles_of(name)} == WATCHERS
    for container in CONTAINERS.values():
        assert not WATCHERS & set(container.get("depends_on", {}))


def test_grafana_asks_servers_that_are_there() -> None:
    source = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "pkh.yaml"
    for each in yaml.safe_load(source.read_text())["datasources"]:
        assert each["url"].removeprefix("http://").partition(":")[0] in CONTAINERS
