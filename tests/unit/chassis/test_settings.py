from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from libs.chassis.dev_certificates import Authority
from libs.chassis.settings import (
    POSTGRES,
    SettingRefused,
    Settings,
    choice,
    secret_key,
    text,
    url,
    whole,
)
from libs.events.bus.kafka_settings import Cluster
from libs.privacy.versions import KeyVersions

KEY = bytes(range(32))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "jwks.json").write_text('{"keys": []}')
    (tmp_path / "key").write_text(base64.b64encode(KEY).decode() + "\n")
    (tmp_path / "password").write_text("p@ss/word\n")
    return {
        "PKH_DATABASE_URL": "postgresql://registry@/registry?host=/run/sockets",
        "PKH_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
        "PKH_BUS_URL": "kafka://localhost:9092",
        "PKH_JWKS_FILE": str(tmp_path / "jwks.json"),
        "PKH_ISSUER": "https://issuer.example",
        "PKH_AUDIENCE": "pkh",
        "PKH_KEK_FILE": str(tmp_path / "key"),
    }


def test_a_service_reads_what_it_is_told(env: dict[str, str]) -> None:
    settings = Settings.from_environment("registry", env | {"PKH_PORT": "8001"})
    assert (settings.service, settings.port, settings.host) == ("registry", 8_001, "127.0.0.1")
    assert settings.bus_url == "kafka://localhost:9092"
    assert (settings.kek, settings.token_key) == (KeyVersions.of(KEY), KeyVersions())


def test_a_changed_key_has_the_version_in_use_first(env: dict[str, str], tmp_path: Path) -> None:
    changed = KeyVersions(2, {2: bytes(32), 1: KEY})
    (tmp_path / "key").write_text(changed.written())

    assert Settings.from_environment("registry", env).kek == changed


def test_a_key_in_a_security_module_needs_its_address(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("1 pkcs11:object=kek-1\n")
    module = {
        "PKH_PKCS11_LIBRARY": str(tmp_path / "jwks.json"),
        "PKH_PKCS11_TOKEN": "pkh",
        "PKH_PKCS11_PIN_FILE": str(tmp_path / "password"),
    }

    settings = Settings.from_environment("registry", env | module)

    assert settings.kek.labels == {1: "kek-1"}
    assert settings.security_module is not None
    assert settings.security_module.pin == "p@ss/word"
    assert "p@ss/word" not in repr(settings)
    for missing in ({}, *({**module, name: ""} for name in module)):
        with pytest.raises(SettingRefused, match="PKH_PKCS11"):
            Settings.from_environment("registry", env | missing)
    tokens = {"PKH_TOKEN_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(SettingRefused, match="PKH_TOKEN_KEY_FILE"):
        Settings.from_environment("registry", env | module | tokens)


def test_a_file_of_keys_of_another_form_is_refused_by_name(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("2 hunter2\n1 hunter2\n")

    with pytest.raises(SettingRefused, match="PKH_KEK_FILE must name a file of keys") as refused:
        Settings.from_environment("registry", env)
    assert "hunter2" not in str(refused.value)


def test_a_bus_keeps_its_own_session_unless_told_otherwise(env: dict[str, str]) -> None:
    assert Settings.from_environment("registry", env).bus_session_s is None
    settings = Settings.from_environment("registry", env | {"PKH_BUS_SESSION_S": "2"})
    assert settings.bus_session_s == 2


@pytest.mark.parametrize(
    ("need", "name"),
    [
        ("sealing-keys", "PKH_KEYS_URL"),
        ("token-key", "PKH_TOKEN_KEY_FILE"),
        ("field-key", "PKH_FIELD_KEY_FILE"),
        ("service-token", "PKH_SERVICE_TOKEN_FILE"),
    ],
)
def test_what_a_service_needs_must_be_set(env: dict[str, str], need: str, name: str) -> None:
    with pytest.raises(SettingRefused, match=rf"{name} must be set\."):
        Settings.from_environment("registry", env, needs=[need])


def test_a_service_that_is_called_must_have_an_address(env: dict[str, str]) -> None:
    with pytest.raises(SettingRefused, match=r"PKH_REGISTRY_URL must be set\."):
        Settings.from_environment("payments", env, calls=["registry"])


def test_a_partner_may_be_absent(env: dict[str, str]) -> None:
    settings = Settings.from_environment("payments", env, partners=["bank"])
    assert settings.addresses == {"bank": ""}


def test_a_password_comes_from_its_file_into_the_address(env: dict[str, str]) -> None:
    settings = Settings.from_environment("registry", env)
    assert (
        settings.database_url == "postgresql://registry:p%40ss%2Fword@/registry?host=/run/sockets"
    )


def test_settings_show_no_secret(env: dict[str, str]) -> None:
    shown = repr(Settings.from_environment("registry", env))
    assert "p%40ss" not in shown
    assert "postgresql" not in shown
    assert repr(KEY) not in shown


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PKH_DATABASE_URL", "", "PKH_DATABASE_URL must be set."),
        ("PKH_DATABASE_URL", "mysql://x:secret@y", "PKH_DATABASE_URL must be a URL that starts"),
        ("PKH_BUS_URL", "redis://x", "PKH_BUS_URL must be a URL that starts with postgresql or"),
        ("PKH_ISSUER", "  ", "PKH_ISSUER must be set."),
        ("PKH_JWKS_FILE", "", "One of PKH_ISSUERS_FILE and PKH_JWKS_FILE must be set, and"),
        ("PKH_JWKS_FILE", "/no/such", "PKH_JWKS_FILE must name a file that exists."),
        ("PKH_JWKS_URL", "https://issuer.test", "PKH_JWKS_URL is read no more: describe the"),
        ("PKH_PERSON_CLAIM", "employee", "PKH_PERSON_CLAIM is read no more: describe the"),
        (
            "PKH_ISSUERS_FILE",
            __file__,
            "One of PKH_ISSUERS_FILE and PKH_JWKS_FILE must be set, and",
        ),
        ("PKH_PORT", "secret", "PKH_PORT must be a whole number from 1 to 65535."),
        ("PKH_PORT", "70000", "PKH_PORT must be a whole number from 1 to 65535."),
        ("PKH_PORT", "٣", "PKH_PORT must be a whole number from 1 to 65535."),
        ("PKH_LOG_LEVEL", "loud", "PKH_LOG_LEVEL must be one of debug, info, warning, error."),
    ],
)
def test_a_mistake_is_a_sentence_that_names_the_variable_and_not_its_value(
    env: dict[str, str], name: str, value: str, sentence: str
) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.from_environment("registry", env | {name: value})
    assert str(refused.value).startswith(sentence)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("stored", ["short", base64.b64encode(b"x" * 31).decode(), "ä"])
def test_a_key_of_another_form_is_refused(tmp_path: Path, stored: str) -> None:
    (tmp_path / "key").write_text(stored)
    with pytest.raises(SettingRefused, match=r"^PKH_K must name a file with 32 bytes"):
        secret_key({"PKH_K": str(tmp_path / "key")}, "PKH_K")


def test_a_service_reads_settings_of_its_own_in_the_same_way() -> None:
    env = {"PKH_QUOTA": "50", "PKH_MODE": "Strict"}
    assert whole(env, "PKH_QUOTA", at_least=0) == 50
    assert whole(env, "PKH_OTHER", 7, at_least=0) == 7
    assert choice(env, "PKH_MODE", ("strict", "loose"), "loose") == "strict"
    assert text(env, "PKH_NAME", "none") == "none"
    assert url(env, "PKH_REGISTRY_URL", ("http",), optional=True) == ""


# -- Kafka ----------------------------------------------------------------------------------------


@pytest.fixture
def at_kafka(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """As a service is told of a cluster elsewhere."""
    authority = Authority.make("Kafka")
    certificate, key = authority.issue("pkh_bus_owner")
    (tmp_path / "kafka-ca.pem").write_text(authority.pem)
    (tmp_path / "own.pem").write_text(certificate)
    (tmp_path / "own.key").write_text(key)
    (tmp_path / "kafka").write_text("s3cret of kafka\n")
    return env | {
        "PKH_BUS_URL": "kafka://kafka-1:9092,kafka-2:9092",
        "PKH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "PKH_KAFKA_CA_FILE": str(tmp_path / "kafka-ca.pem"),
        "PKH_KAFKA_USER": "pkh_registry",
        "PKH_KAFKA_PASSWORD_FILE": str(tmp_path / "kafka"),
    }


def test_a_service_at_kafka_is_a_user_over_tls(at_kafka: dict[str, str]) -> None:
    asked = at_kafka | {"PKH_KAFKA_REPLICATION": "3", "PKH_KAFKA_IN_SYNC": "2"}
    settings = Settings.from_environment("registry", asked)

    assert (settings.cluster.replication, settings.cluster.in_sync) == (3, 2)
    assert settings.cluster.security is not None
    options = settings.cluster.security.options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["ssl_context"].check_hostname
    assert options["sasl_plain_password"] == "s3cret of kafka"
    assert "s3cret" not in repr(settings)


def test_who_gives_rights_shows_a_certificate(at_kafka: dict[str, str], tmp_path: Path) -> None:
    asked = at_kafka | {
        "PKH_KAFKA_SECURITY_PROTOCOL": "SSL",
        "PKH_KAFKA_CERTIFICATE_FILE": str(tmp_path / "own.pem"),
        "PKH_KAFKA_KEY_FILE": str(tmp_path / "own.key"),
    }
    security = Settings.from_environment("registry", asked).cluster.security

    assert security is not None
    assert security.options().keys() == {"security_protocol", "ssl_context"}


@pytest.mark.parametrize("url", ["kafka://127.0.0.1:9092", "kafka://localhost:9092,[::1]:9092"])
def test_in_clear_are_brokers_of_this_machine(env: dict[str, str], url: str) -> None:
    assert Settings.from_environment("registry", env | {"PKH_BUS_URL": url}).cluster == Cluster()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"PKH_KAFKA_SECURITY_PROTOCOL": ""},
            "PKH_KAFKA_SECURITY_PROTOCOL must be SASL_SSL: PKH_BUS_URL names a broker that is not",
        ),
        (
            {"PKH_KAFKA_SECURITY_PROTOCOL": "", "PKH_BUS_URL": "kafka://localhost:1,kafka-2:1"},
            "PKH_KAFKA_SECURITY_PROTOCOL must be SASL_SSL: PKH_BUS_URL names a broker that is not",
        ),
        (
            {"PKH_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
            "PKH_KAFKA_SECURITY_PROTOCOL must be one of plaintext, sasl_ssl, ssl.",
        ),
        ({"PKH_KAFKA_USER": ""}, "PKH_KAFKA_USER must be set."),
        ({"PKH_KAFKA_PASSWORD_FILE": ""}, "PKH_KAFKA_PASSWORD_FILE must be set, and its file not"),
        ({"PKH_KAFKA_SASL_MECHANISM": "PLAIN"}, "PKH_KAFKA_SASL_MECHANISM must be one of scram-"),
        ({"PKH_KAFKA_CA_FILE": __file__}, "PKH_KAFKA_CA_FILE must name certificates in PEM"),
        (
            {"PKH_KAFKA_SECURITY_PROTOCOL": "SSL"},
            "PKH_KAFKA_CERTIFICATE_FILE and PKH_KAFKA_KEY_FILE must be set for SSL.",
        ),
        ({"PKH_KAFKA_REPLICATION": "0"}, "PKH_KAFKA_REPLICATION must be a whole number from 1 to"),
        ({"PKH_KAFKA_IN_SYNC": "2"}, "PKH_KAFKA_IN_SYNC must be a whole number from 0 to 1."),
    ],
)
def test_a_service_that_kafka_would_not_know_does_not_start(
    at_kafka: dict[str, str], changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingRefused) as refused:
        Settings.from_environment("registry", at_kafka | changes)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://registry@/registry?host=/run/sockets",
        "postgresql://registry@%2Frun%2Fsockets/registry",
        "postgresql://registry@127.0.0.1:5432/registry",
        "postgresql://registry@[::1]:5432,localhost/registry",
        "postgresql://registry@/registry",
    ],
)
def test_a_database_of_this_machine_is_asked_as_it_is(env: dict[str, str], address: str) -> None:
    assert url({"PKH_DATABASE_URL": address}, "PKH_DATABASE_URL", POSTGRES) == address


@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("postgresql://registry@database/registry", {}),
        ("postgresql://registry@localhost,database:5432/registry", {}),
        ("postgresql://registry@/registry?host=database", {}),
        ("postgresql://registry@127.0.0.1@database/registry", {}),
        ("postgresql:///registry", {"PGHOST": "database"}),
        ("postgresql:///registry", {"PGSERVICE": "elsewhere"}),
    ],
)
def test_a_database_of_another_machine_is_refused_without_a_ca(
    address: str, more: dict[str, str]
) -> None:
    with pytest.raises(SettingRefused, match="PKH_DATABASE_CA_FILE must be set"):
        url({"PKH_DATABASE_URL": address, **more}, "PKH_DATABASE_URL", POSTGRES)


@pytest.mark.parametrize("said", ["sslmode=disable", "sslrootcert=mine.pem", "service=elsewhere"])
def test_an_address_does_not_say_how_it_is_encrypted(said: str) -> None:
    env = {"PKH_DATABASE_URL": f"postgresql://registry@database/registry?{said}"}
    with pytest.raises(SettingRefused, match="PKH_DATABASE_URL: it must not say"):
        url(env, "PKH_DATABASE_URL", POSTGRES)


def test_files_of_tls_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hunter2")
    env = {
        "PKH_DATABASE_URL": "postgresql://registry@database/registry",
        "PKH_DATABASE_CA_FILE": str(tmp_path / "ca.pem"),
    }
    with pytest.raises(SettingRefused, match="no certificates"):
        url(env, "PKH_DATABASE_URL", POSTGRES)
    alone = {"PKH_DATABASE_CLIENT_KEY_FILE": str(tmp_path / "ca.pem")}
    with pytest.raises(SettingRefused, match="must be set together"):
        url(env | alone, "PKH_DATABASE_URL", POSTGRES)


def test_a_database_of_another_machine_is_known_by_its_ca_and_host(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(Authority.make("Databases").pem)
    env = {
        "PKH_DATABASE_URL": "postgresql://registry@database/registry?application_name=a",
        "PKH_DATABASE_CA_FILE": str(tmp_path / "ca.pem"),
    }
    found = parse_qs(urlsplit(url(env, "PKH_DATABASE_URL", POSTGRES)).query)
    assert found == {
        "application_name": ["a"],
        "sslmode": ["verify-full"],
        "sslrootcert": [str(tmp_path / "ca.pem")],
    }
