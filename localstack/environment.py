"""Environment of the platform's processes: directories, secrets, databases, variables.

DIR/postgres  DIR/kafka     the servers' data
DIR/secrets/                passwords, keys and tokens, readable by their owner alone
DIR/journal/                what the simulated treasury and banks remember
DIR/logs/  DIR/run/         what the processes say, and where they are
"""

from __future__ import annotations

import base64
import os
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from libs.chassis.catalogue import (
    KEK,
    KEYED,
    ROOT,
    SEALS,
    catalogue,
    own_kek,
    reader,
    relay,
    role,
)
from libs.chassis.dev_certificates import CA, client_files, make_certificates, server_files
from libs.chassis.dev_issuer import AUDIENCE, ISSUER, KEY_SET, Issuer
from libs.chassis.dev_partner_keys import OWN, REGISTER, SIMULATED, make_partner_keys
from libs.chassis.durable_files import write_private
from libs.chassis.partner_tls import read_partner_tls
from libs.chassis.settings import PKCS11
from libs.chassis.sign_in import RETURN_PATH
from libs.privacy.versions import KeyVersions
from localstack.kafka_server import Broker
from localstack.ports import HOST
from localstack.postgres.roles import password_file
from localstack.postgres.server import PostgresServer

CONTRACTS: Final = ROOT / "contracts"

SERVICES: Final = catalogue().names
RELAYED: Final = catalogue().publishers
MEASURED: Final = (*SERVICES, "relay")  # who shows metrics
SIMULATORS: Final = ("treasury", "bank")
SIGN_IN: Final = "sign-in"
"""The process at which one picks whom to be at the console."""
[CONSOLE] = catalogue().needing("console")
"""The service that serves the console."""
CONSOLE_FILE: Final = "console.yaml"
PARTNERS: Final = ("TREASURY", "MANDIRI", "BRI", "BNI", "BTN")
"""Who signs among them: the treasury, and each bank by itself."""

REACHING_OUT: Final = tuple(name for name, entry in catalogue().services.items() if entry.partners)
"""The services that ask partners."""

SEALING: Final = catalogue().needing(*SEALS)
MATCHING: Final = catalogue().needing("token-key")
OPENING: Final = catalogue().needing("inbound-keys")
IN_KEYS: Final = catalogue().needing(*KEYED)
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Environment:
    """Where everything of one platform is; `broker` is None when the embedded bus serves."""

    data_dir: Path
    postgres: PostgresServer
    broker: Broker | None
    ports: Mapping[str, int]
    metrics_ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def secrets_dir(self) -> Path:
        """The secrets that only the owner of the platform may read."""
        return self.data_dir / "secrets"

    def base_url(self, name: str) -> str:
        """Where a service or a simulator answers: a simulator beside Kafka as a partner has to."""
        scheme = "https" if self.broker is not None and name in SIMULATORS else "http"
        return f"{scheme}://{HOST}:{self.ports[name]}"

    @property
    def metrics_urls(self) -> dict[str, str]:
        """By name, where a process shows what it measures."""
        return {name: f"http://{HOST}:{port}/metrics" for name, port in self.metrics_ports.items()}

    # -- Secrets

    def make_secrets(self) -> None:
        """Make the keys that are not there yet."""
        self.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_own_keys()
        for name in (KEK, "token-key", "field-key", "inbound-keys", "cursor-key"):
            path = self.secrets_dir / name
            if not path.exists():
                write_private(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
        make_partner_keys(self.secrets_dir, PARTNERS)
        if self.broker is not None:
            make_certificates(self.secrets_dir, SIMULATORS, REACHING_OUT, HOST)

    def _make_own_keys(self) -> None:
        """A key-encryption key for each service with keys of its own things.

        Where the families' key is there already, it has wrapped these keys too: it opens them
        until all are wrapped again.
        """
        shared = self.secrets_dir / KEK
        before = KeyVersions.read(shared.read_text()) if shared.exists() else KeyVersions()
        for name in catalogue().needing("own-keys"):
            path = self.secrets_dir / own_kek(name)
            if not path.exists():
                write_private(path, before.renewed(secrets.token_bytes(KEY_BYTES)).written())

    @property
    def console_url(self) -> str:
        """The first page of the console."""
        return f"{self.base_url(CONSOLE)}/console/"

    def write_sign_in(self) -> None:
        """The file by which the console finds the local sign-in."""
        at = self.base_url(SIGN_IN)
        lines = {
            "address": self.base_url(CONSOLE),
            "issuer": ISSUER,
            "authorize": f"{at}/authorize",
            "token": f"{at}/token",
        }
        text = "".join(f"{key}: {value}\n" for key, value in lines.items())
        write_private(self.secrets_dir / CONSOLE_FILE, text)

    def of_sign_in(self) -> list[str]:
        """The arguments of the local sign-in."""
        returns_to = self.base_url(CONSOLE) + RETURN_PATH
        port = str(self.ports[SIGN_IN])
        return [str(self.secrets_dir / "issuer"), "--returns-to", returns_to, "--port", port]

    def issuer(self) -> Issuer:
        """Who signs the tokens that the services of this platform believe."""
        return Issuer.open(self.secrets_dir / "issuer")

    def write_service_tokens(self) -> None:
        """A fresh token for each service, put in place of the old one at one stroke."""
        issuer = self.issuer()
        for name, entry in catalogue().services.items():
            path = self._token_file(name)
            write_private(path.with_suffix(".new"), issuer.token(name, entry.token_scopes, ["*"]))
            path.with_suffix(".new").replace(path)

    def _token_file(self, service: str) -> Path:
        return self.secrets_dir / f"{service}.token"

    # -- Addresses

    def address(self, database: str, user: str) -> str:
        """A database's address for a role, with its password; never to be logged or passed on."""
        password = password_file(self.secrets_dir, user).read_text()
        return self.postgres.url(role(database), user, password)

    def bus_url(self, user: str) -> str:
        """The bus's address for a role, without its password."""
        if self.broker is not None:
            return f"kafka://{self.broker.bootstrap}"
        return self.postgres.url(role("bus"), user)

    # -- Environments

    def of_service(self, name: str) -> dict[str, str]:
        """The environment of one service: what it needs to know, and no other service's secret."""
        return {
            **_inherited(),
            **self._database("PKH_DATABASE", name, role(name)),
            **self._bus(role(name)),
            **(self._database("PKH_KEYS", "keys", role(name)) if name in IN_KEYS else {}),
            **(self._sealing_key(catalogue().keks[name]) if name in SEALING else {}),
            **(
                self._database("PKH_ERASER", "keys", role("eraser"))
                if name in catalogue().needing("eraser")
                else {}
            ),
            **(
                self._database("PKH_READER", name, reader(name))
                if name in catalogue().needing("reader")
                else {}
            ),
            **(self._file("PKH_TOKEN_KEY_FILE", "token-key") if name in MATCHING else {}),
            **(
                self._file("PKH_FIELD_KEY_FILE", "field-key")
                if name in catalogue().needing("field-key")
                else {}
            ),
            **(self._file("PKH_INBOUND_KEYS_FILE", "inbound-keys") if name in OPENING else {}),
            **(self._to_partners(name) if name in REACHING_OUT else {}),
            **{
                f"PKH_{other.upper()}_URL": self.base_url(other)
                for other in (*SERVICES, *SIMULATORS)
                if other in self.ports
            },
            **(self._file("PKH_CONSOLE_FILE", CONSOLE_FILE) if name == CONSOLE else {}),
            **self._file("PKH_CURSOR_KEY_FILE", "cursor-key"),
            "PKH_SERVICE_TOKEN_FILE": str(self._token_file(name)),
            "PKH_JWKS_FILE": str(self.secrets_dir / "issuer" / KEY_SET),
            "PKH_ISSUER": ISSUER,
            "PKH_AUDIENCE": AUDIENCE,
            "PKH_HOST": HOST,
            "PKH_PORT": str(self.ports[name]),
            "PKH_METRICS_PORT": str(self.metrics_ports.get(name, 0)),
            "PKH_CONTRACTS_DIR": str(CONTRACTS),
        }

    def of_relay(self) -> dict[str, str]:
        """The environment of the relay, which reads the stores of all that publish."""
        stores = [
            self._database(f"PKH_{name.upper()}_DATABASE", name, relay(name)) for name in RELAYED
        ]
        return {
            **_inherited(),
            **{variable: value for store in stores for variable, value in store.items()},
            **self._bus(role("relay")),
            "PKH_RELAYED": " ".join(RELAYED),
            "PKH_HOST": HOST,
            "PKH_METRICS_PORT": str(self.metrics_ports.get("relay", 0)),
            "PKH_CONTRACTS_DIR": str(CONTRACTS),
        }

    def of_simulator(self) -> dict[str, str]:
        """The environment of a simulator, which is told everything by its arguments."""
        return _inherited()

    def _database(self, variable: str, database: str, user: str) -> dict[str, str]:
        # The password stands in a file: an environment is read by more people.
        return {
            f"{variable}_URL": self.postgres.url(role(database), user),
            f"{variable}_PASSWORD_FILE": str(password_file(self.secrets_dir, user)),
        }

    def _bus(self, user: str) -> dict[str, str]:
        if self.broker is not None:
            return {"PKH_BUS_URL": self.bus_url(user)}
        return self._database("PKH_BUS", "bus", user)

    def _to_partners(self, name: str) -> dict[str, str]:
        """The register of keys and our own, and certificates where partners are asked over https;
        without simulators nobody is asked and all of it is idle."""
        named = {"PKH_PARTNER_KEYS_FILE": REGISTER, "PKH_SIGNING_KEYS_FILE": OWN}
        if self.broker is not None:
            own, key = client_files(name)
            named["PKH_PARTNER_CA_FILE"] = CA
            named |= {"PKH_CLIENT_CERTIFICATE_FILE": own, "PKH_CLIENT_KEY_FILE": key}
        return {variable: str(self.secrets_dir / file) for variable, file in named.items()}

    def of_partner(self, name: str) -> list[str]:
        """The arguments by which a simulator finds its keys, the programme's, and certificates."""
        named = {"--keys": SIMULATED, "--register": REGISTER}
        if self.broker is not None:
            own, key = server_files(name)
            named |= {"--certificate": own, "--certificate-key": key, "--client-ca": CA}
        found = ((option, str(self.secrets_dir / file)) for option, file in named.items())
        return [word for pair in found for word in pair]

    def partner_tls(self) -> ssl.SSLContext | None:
        """The TLS by which simulators are asked how they are, as a service asks them."""
        if self.broker is None:
            return None
        own, key = client_files(REACHING_OUT[0])
        at = self.secrets_dir
        return read_partner_tls(at / CA, at / own, at / key).context

    def _sealing_key(self, name: str) -> dict[str, str]:
        """The file of a key-encryption key and, where it names a key in a security module, the
        module of our own environment: who needs no module gets no PIN of it."""
        labels = KeyVersions.read((self.secrets_dir / name).read_text()).labels
        module = {variable: os.environ.get(variable, "") for variable in PKCS11 if labels}
        return self._file("PKH_KEK_FILE", name) | module

    def _file(self, variable: str, name: str) -> dict[str, str]:
        return {variable: str(self.secrets_dir / name)}


def _inherited() -> dict[str, str]:
    """Our own environment, but for the secrets that it may name: each process gets its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("PKH_") and name.endswith("_FILE")) and name not in PKCS11
    }
