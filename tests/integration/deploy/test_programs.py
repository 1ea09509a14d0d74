"""The small programs of the container image: who signs tokens, and who asks after health."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.health import FRESH_S, healthy
from localstack.ports import free_ports
from tests.architecture.tree import ROOT
from tests.servers import eventually


@contextmanager
def running(module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_the_issuer_publishes_its_key_and_signs_a_token_that_it_fits(tmp_path: Path) -> None:
    kept, identity, token = tmp_path / "kept", tmp_path / "identity", tmp_path / "payments"
    identity.mkdir()
    token.mkdir()
    where = [str(kept), "--publish", str(identity), "--token", f"payments={token}"]

    with running("deploy.issuer", *where) as process:
        await eventually((token / "token").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    published = KeySet.import_key_set(json.loads((identity / "jwks.json").read_text()))
    claims = jwt.decode((token / "token").read_text(), published).claims
    assert claims["sub"] == "payments"
    assert [path.name for path in identity.iterdir()] == ["jwks.json"]
    assert "d" not in json.loads((identity / "jwks.json").read_text())["keys"][0]


def test_a_file_is_fresh_until_it_is_old(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert not healthy(["fresh", str(file)], {})

    file.touch()
    assert healthy(["fresh", str(file)], {})

    written = file.stat().st_mtime - FRESH_S - 1
    os.utime(file, (written, written))
    assert not healthy(["fresh", str(file)], {})


def test_a_process_that_does_not_answer_is_not_healthy() -> None:
    [port] = free_ports(1)

    assert not healthy(["http", "/ready"], {"PKH_PORT": str(port)})


def test_a_relay_is_not_healthy_where_its_store_does_not_answer(tmp_path: Path) -> None:
    away = {
        "PKH_RELAYED": "registry",
        "PKH_REGISTRY_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}",
    }

    assert not healthy(["relay"], away)
