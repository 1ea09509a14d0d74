from __future__ import annotations

from pathlib import Path

import pytest

from libs.chassis.dev_issuer import Issuer


@pytest.fixture
def issuer_dir(tmp_path: Path) -> Path:
    return tmp_path / "issuer"


@pytest.fixture
def issuer(issuer_dir: Path) -> Issuer:
    return Issuer.open(issuer_dir)
