from __future__ import annotations

from collections.abc import Iterator

import pytest

from libs.privacy.security_module import ModuleAddress
from tests.softhsm import token


@pytest.fixture(scope="session")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleAddress]:
    """A token of SoftHSM, where there is one."""
    with token(tmp_path_factory.mktemp("softhsm")) as address:
        yield address
