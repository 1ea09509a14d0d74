"""`pkh up` where the key-encryption key stands in a security module."""

from __future__ import annotations

import secrets
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from libs.privacy.security_module import ModuleAddress, SecurityModule
from libs.privacy.versions import KeyVersions
from localstack.environment import SERVICES
from localstack.platform import Options, Platform
from tests.integration.localstack.test_platform import ANSWERS, RELAY, process
from tests.softhsm import needs_softhsm

pytest.importorskip("pkcs11", reason="python-pkcs11 of the lock is not installed")
pytestmark = needs_softhsm


async def test_services_that_seal_ask_the_module_and_no_other_process_gets_its_pin(
    hsm: ModuleAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = f"kek-{secrets.token_hex(4)}"
    assert SecurityModule(hsm).make(label)
    (tmp_path / "pin").write_text(hsm.pin)
    monkeypatch.setenv("PKH_PKCS11_LIBRARY", str(hsm.library))
    monkeypatch.setenv("PKH_PKCS11_TOKEN", hsm.token)
    monkeypatch.setenv("PKH_PKCS11_PIN_FILE", str(tmp_path / "pin"))

    # PostgreSQL's user may not pass pytest's own directory.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as directory:
        (Path(directory) / "secrets").mkdir(mode=0o700)
        inside = KeyVersions(1, labels={1: label})
        (Path(directory) / "secrets" / "kek").write_text(inside.written())
        async with Platform(all_but_registry(Path(directory))) as platform:
            observer = platform.issuer.token("observer", ["platform:read"], ["*"])
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {observer}"}) as client:
                shown = await client.get(platform.base_url("registry") + "/keys")
            pids = platform.supervisor.pids()
            asked = {
                name
                for name in {*SERVICES, "relay"} - {"registry"}
                if str(tmp_path / "pin").encode() in process(pids[name], "environ")
            }

    assert shown.json()["versions"][0] == {
        "secret": "kek", "version": 1, "state": "IN_USE", "left": 0
    }  # fmt: skip
    assert asked == {"payments", "complaints"}


def all_but_registry(data_dir: Path) -> Options:
    """A platform of which registry is real, and what else is there only answers."""
    python = sys.executable
    programs = {name: [python, "-S", "-c", ANSWERS] for name in SERVICES if name != "registry"}
    return Options(data_dir, programs=programs | {"relay": [python, "-c", RELAY]})
