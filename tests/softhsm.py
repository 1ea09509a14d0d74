"""A security module for tests: a token of SoftHSM, which Debian has as softhsm2."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from libs.privacy.security_module import ModuleAddress

LIBRARY: Final = next(
    (
        found
        for path in ("/usr/lib", "/usr/local/lib")
        for found in Path(path).rglob("libsofthsm2.so")
    ),
    None,
)
needs_softhsm: Final = pytest.mark.skipif(LIBRARY is None, reason="needs Debian's softhsm2")


@contextmanager
def token(home: Path) -> Iterator[ModuleAddress]:
    """A new token below a directory, for this process and those that it starts meanwhile.

    The library reads where its tokens are once in a process, so a process has one.
    """
    assert LIBRARY is not None
    (home / "tokens").mkdir()
    (home / "softhsm2.conf").write_text(f"directories.tokendir = {home / 'tokens'}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(home / "softhsm2.conf"))
        pin = secrets.token_hex(8)
        subprocess.run(
            [
                *("softhsm2-util", "--init-token", "--free", "--label", "pkh"),
                *("--pin", pin, "--so-pin", secrets.token_hex(8)),
            ],
            check=True,
            capture_output=True,
        )
        yield ModuleAddress(LIBRARY, "pkh", pin)
