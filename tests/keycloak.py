"""A real Keycloak with the realm of deploy/keycloak, as a child of this process.

Its distribution is an artifact of Maven, pinned by hash. It listens on 127.0.0.1 over https, by a
certificate that it is given, and forgets everything with its directory: it is for tests alone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import os
import re
import secrets
import shutil
import signal
import ssl
import subprocess
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from libs.chassis.catalogue import ROOT
from localstack.kafka_server import missing_tools
from localstack.ports import HOST, free_ports

VERSION: Final = "26.4.7"
SHA256: Final = "dd9834c023460be856f731423d86228c23b5d002194a2064642bec0cc6573eaa"
ARTIFACT: Final = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
REALM: Final = ROOT / "deploy" / "keycloak" / "realm.json"
FETCH_TIMEOUT_S: Final = 600
READY_TIMEOUT_S: Final = 300.0
READY_POLL_S: Final = 0.5
STOP_TIMEOUT_S: Final = 30.0
JAVA: Final = {
    "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
    "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
}
CONSOLE: Final = ("pkh-console", "https://console.pkh.example/console/signed-in")
ADMIN: Final = "boot"


class KeycloakUnavailable(RuntimeError):
    """There is no Keycloak to be had on this machine; the text says what is missing."""


def unpacked(directory: Path) -> Path:
    """The distribution, fetched by Maven unless it has it already; raises `KeycloakUnavailable`."""
    if missing := missing_tools():
        raise KeycloakUnavailable(f"not installed: {', '.join(missing)}")
    goal = ["dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={directory}"]
    done = subprocess.run(
        ["mvn", "-q", "-B", *goal],
        cwd=directory,
        capture_output=True,
        timeout=FETCH_TIMEOUT_S,
        check=False,
    )
    archive = directory / f"keycloak-quarkus-dist-{VERSION}.zip"
    if done.returncode or not archive.exists():
        raise KeycloakUnavailable(f"mvn ended with {done.returncode}")
    with archive.open("rb") as content:
        assert hashlib.file_digest(content, "sha256").hexdigest() == SHA256
    with zipfile.ZipFile(archive) as files:
        files.extractall(directory)
    archive.unlink()
    return directory / f"keycloak-{VERSION}"


@dataclass
class Keycloak:
    """One server over one directory, and its administrator."""

    home: Path
    ca: Path
    certificate: Path
    key: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: subprocess.Popen[bytes] | None = None
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://{HOST}:{self.port}"

    @property
    def issuer(self) -> str:
        """The name of the realm in its tokens."""
        return f"{self.url}/realms/pkh"

    def start(self) -> None:
        """Start it unless it runs, and wait until the realm answers."""
        if self.process is not None and self.process.poll() is None:
            return
        imports = self.home / "data" / "import"
        imports.mkdir(parents=True, exist_ok=True)
        shutil.copy(REALM, imports / "pkh.json")
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", "bin/kc.sh", "start-dev", "--import-realm", *self._options()],
                cwd=self.home,
                env={**os.environ, **JAVA, **self._administrator()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._wait()

    def _options(self) -> list[str]:
        own = [f"--https-certificate-file={self.certificate}"]
        own += [f"--https-certificate-key-file={self.key}", f"--https-port={self.port}"]
        return [*own, "--http-enabled=false", f"--http-host={HOST}", f"--hostname={self.url}"]

    def _administrator(self) -> dict[str, str]:
        return {"KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": self.password}

    def _wait(self) -> None:
        """Return when the realm shows its keys; raises `KeycloakUnavailable` with its log."""
        until = time.monotonic() + READY_TIMEOUT_S
        with self.client() as client:
            while time.monotonic() < until:
                if self.process is None or self.process.poll() is not None:
                    break
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(f"{self.issuer}/protocol/openid-connect/certs").is_success:
                        return
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(READY_POLL_S)
        log = (self.home / "server.log").read_text(errors="replace")
        raise KeycloakUnavailable("it did not answer:\n" + log[-2_000:])

    def stop(self) -> None:
        """End it in good order, or after a while by force."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def client(self, **options: Any) -> httpx.Client:
        """A browser or a program that believes its certificate."""
        context = ssl.create_default_context(cafile=self.ca)
        return httpx.Client(verify=context, base_url=self.url, timeout=30.0, **options)

    # -- Its administrator

    def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The answer to a request about the realm, which must be well."""
        form = {"grant_type": "password", "client_id": "admin-cli"}
        form |= {"username": ADMIN, "password": self.password}
        with self.client() as client:
            signed_in = client.post("/realms/master/protocol/openid-connect/token", data=form)
            token = signed_in.raise_for_status().json()["access_token"]
            header = {"Authorization": f"Bearer {token}"}
            answer = client.request(method, f"/admin/realms/pkh{path}", json=body, headers=header)
        return answer.raise_for_status()

    def add_person(self, name: str, role: str, regions: list[str]) -> str:
        """The password of somebody new, who has a role in regions."""
        password = secrets.token_urlsafe(24)
        person = {"username": name, "enabled": True, "email": f"{name}@pkh.example"}
        person |= {"firstName": name, "lastName": role, "attributes": {"regions": regions}}
        person["credentials"] = [{"type": "password", "value": password, "temporary": False}]
        added = self.admin("POST", "/users", person).headers["location"].rpartition("/")[2]
        found = self.admin("GET", f"/roles/{role}").json()
        self.admin("POST", f"/users/{added}/role-mappings/realm", [found])
        return password

    def client_of(self, client_id: str) -> dict[str, Any]:
        """A client of the realm, as it is kept."""
        [found] = self.admin("GET", f"/clients?clientId={client_id}").json()
        return dict(found)

    # -- Whoever signs in

    def token(self, **form: str) -> httpx.Response:
        """The answer of the token endpoint."""
        with self.client() as client:
            return client.post(f"{self.issuer}/protocol/openid-connect/token", data=form)

    def system_token(self, client_id: str) -> str:
        """An access token of a system, by its client credentials."""
        kept = self.client_of(client_id)
        secret = self.admin("GET", f"/clients/{kept['id']}/client-secret").json()["value"]
        answer = self.token(
            grant_type="client_credentials", client_id=client_id, client_secret=secret
        )
        return str(answer.raise_for_status().json()["access_token"])

    def sign_in(
        self, name: str, password: str, client: tuple[str, str] = CONSOLE
    ) -> dict[str, Any]:
        """The tokens of a person, by authorization code with PKCE, as a browser gets them."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        with self.client() as browser:
            page = self.authorization(browser, client, challenge)
            [action] = re.findall(r'action="([^"]+)"', page.text)
            entered = {"username": name, "password": password}
            back = browser.post(html.unescape(action), data=entered)
        [code] = parse_qs(urlsplit(back.headers["location"]).query)["code"]
        answer = self.token(
            grant_type="authorization_code",
            client_id=client[0],
            redirect_uri=client[1],
            code=code,
            code_verifier=verifier,
        )
        return dict(answer.raise_for_status().json())

    def authorization(
        self, browser: httpx.Client, client: tuple[str, str], challenge: str | None
    ) -> httpx.Response:
        """The page that asks for a password, or what is answered in its place."""
        asked = {"client_id": client[0], "redirect_uri": client[1]}
        asked |= {"response_type": "code", "scope": "openid"}
        if challenge:
            asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return browser.get(f"{self.issuer}/protocol/openid-connect/auth", params=asked)
