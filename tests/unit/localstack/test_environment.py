from pathlib import Path

import pytest

from libs.privacy.versions import KeyVersions
from localstack.environment import Environment
from localstack.postgres.server import PostgresServer

SHARED = KeyVersions(2, {1: bytes(range(32)), 2: bytes(range(1, 33))})


@pytest.mark.parametrize("before", [KeyVersions(), SHARED])
def test_complaints_has_a_key_of_its_own_that_opens_what_the_shared_one_wrapped(
    tmp_path: Path, before: KeyVersions
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    if before.numbers:
        (secrets / "kek").write_text(before.written())
    environment = Environment(tmp_path, PostgresServer(tmp_path), None, {})

    environment.make_secrets()
    own = KeyVersions.read((secrets / "complaints.kek").read_text())
    environment.make_secrets()

    assert own == before.renewed(own.secrets[own.in_use])
    shared = KeyVersions.read((secrets / "kek").read_text())
    assert own.secrets[own.in_use] not in shared.secrets.values()
    assert KeyVersions.read((secrets / "complaints.kek").read_text()) == own
