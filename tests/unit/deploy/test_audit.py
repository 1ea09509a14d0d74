import json
import subprocess
from pathlib import Path

import pytest

from deploy.release import sbom
from deploy.release.audit import LOCKS, Run, audit

LOCK = Path("requirements.lock")
FASTAPI = {"name": "fastapi", "version": "0.165.0", "vulns": []}


def answers(stdout: str = "", stderr: str = "", code: int = 0) -> Run:
    return lambda _lock: subprocess.CompletedProcess([], code, stdout, stderr)


def known(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_packages_of_which_nothing_is_known_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(LOCK, answers(known(FASTAPI))) == 0
    assert "1 packages, 0 known vulnerabilities" in capsys.readouterr().out


def test_a_known_vulnerability_is_named_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"id": "GHSA-1", "fix_versions": ["0.166.0"], "aliases": [], "description": ""}

    assert audit(LOCK, answers(known({**FASTAPI, "vulns": [found]}), code=1)) == 1
    assert "fastapi 0.165.0: GHSA-1, mended in 0.166.0" in capsys.readouterr().out


def test_a_package_that_was_left_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = {"name": "uvloop", "skip_reason": "not found"}

    assert audit(LOCK, answers(known(FASTAPI, left_out))) == 0
    assert "not audited: uvloop" in capsys.readouterr().out


def test_without_a_database_it_says_so_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    lost = "requests.exceptions.ConnectionError: Failed to resolve 'api.osv.dev'"

    assert audit(LOCK, answers(stderr=lost, code=1)) == 0
    assert "NOT AUDITED" in capsys.readouterr().out


def test_any_other_failure_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(LOCK, answers(stderr="ERROR: requirement has no hash", code=1)) == 2
    assert "has no hash" in capsys.readouterr().err


def test_every_lock_that_an_image_may_install_is_audited() -> None:
    assert {lock.name for lock in sbom.BILLS.values()} <= set(LOCKS)
