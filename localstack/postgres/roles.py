"""Runs the script that gives every service a database of its own, and roles that reach no other."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from libs.chassis.catalogue import ROOT, catalogue, owner, relay, role
from libs.chassis.durable_files import write_private
from localstack.postgres.home import PORT, PostgresFailed, binary
from localstack.postgres.server import SUPERUSER, PostgresServer

SCRIPT: Final = ROOT / "deploy" / "postgres" / "init" / "10-roles.sh"
PASSWORD_BYTES: Final = 32
RELAY: Final = role("relay")
"""The role that carries messages to the embedded bus."""
WRITER_CONNECTIONS_MAX: Final = 8
"""Connections at once of each that writes to the embedded bus from outside."""


def logins() -> Iterator[str]:
    """Every role of the platform on one machine that connects to a database."""
    for name, entry in catalogue().services.items():
        yield from (role(name), owner(name), *map(role, entry.readers))
        yield from (relay(name),) if entry.publishes else ()
    yield from (owner("keys"), role("eraser"), owner("bus"), RELAY, *catalogue().writers)


def provision(server: PostgresServer, secrets_dir: Path) -> None:
    """Make the databases and roles that are missing; all others stay.

    Each login's password is made once and stands in `secrets_dir`, see `password_file`; where the
    file was lost, the role gets a new one.
    """
    made = [login for login in logins() if _password_made(secrets_dir, login)]
    writers = catalogue().writers
    users = " ".join([*map(role, catalogue().names), RELAY, *writers])
    run_script(
        server,
        secrets_dir,
        f"make_role {owner('bus')} 8",
        f"make_role {RELAY} 24",
        *(f"make_role {writer} {WRITER_CONNECTIONS_MAX}" for writer in writers),
        f"make_common_database {role('bus')} {owner('bus')} {users}",
        *(f"change_password {login}" for login in made),
    )


def run_script(server: PostgresServer, secrets_dir: Path, *also: str) -> None:
    """Run SCRIPT at `server` as its superuser, and more lines of its kind behind its own.

    Raises PostgresFailed with its words, when it ends without having made everything.
    """
    done = subprocess.run(
        ["bash", str(SCRIPT)],
        check=False,
        capture_output=True,
        text=True,
        env={
            "PATH": f"{binary('psql').parent}:{os.environ['PATH']}",
            "PGHOST": str(server.socket_dir),
            "PGPORT": str(PORT),
            "PGPASSWORD": server.password_file.read_text().strip(),
            "POSTGRES_USER": SUPERUSER,
            "SECRETS": str(secrets_dir),
            "ALSO": "\n".join(also),
        },
    )
    if done.returncode != 0:
        raise PostgresFailed(done.stderr.strip())


def password_file(secrets_dir: Path, role: str) -> Path:
    """The file, readable by its owner alone, that holds a role's password."""
    return secrets_dir / f"{role}.password"


def _password_made(secrets_dir: Path, role: str) -> bool:
    """True if the role had no password and has one now."""
    path = password_file(secrets_dir, role)
    if path.exists():
        return False
    secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, secrets.token_urlsafe(PASSWORD_BYTES))
    return True
