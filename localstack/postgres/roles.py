"""Gives every service a database of its own in one PostgreSQL, and roles that reach no other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from libs.chassis.durable_files import write_private

PASSWORD_BYTES: Final = 32
READER_STATEMENT_S: Final = 15
READER_CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Database:
    """One database and who may do what in it.

    `owner` runs its migrations, `runtime` is the role that they grant to. Where there are
    `members`, `runtime` is no login but what these roles share. A `common` database lets
    `runtime` use all that its owner makes, for schemas that name no role. `guests` may connect
    and have what a migration grants to them; `readers` are guests that change nothing and whose
    statements end after READER_STATEMENT_S.
    """

    name: str
    owner: str
    runtime: str
    members: Sequence[str] = ()
    guests: Sequence[str] = ()
    readers: Sequence[str] = ()
    common: bool = False

    @property
    def logins(self) -> list[str]:
        """The roles that connect to it."""
        return [self.owner, *(self.members or [self.runtime]), *self.guests, *self.readers]


class Server(Protocol):
    """A PostgreSQL in which we may make databases and roles."""

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """Run a script as superuser."""


def provision(server: Server, plan: Sequence[Database], secrets_dir: Path) -> None:
    """Make what is missing of the plan, and set everything else as the plan says.

    Each login's password is made once and stands in `secrets_dir`, see `password_file`.
    """
    logins = sorted({login for database in plan for login in database.logins})
    shared = sorted({database.runtime for database in plan if database.members})
    script = [
        "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;",
        *(_role(role, "NOLOGIN") for role in shared),
        *(_role(role, f"LOGIN PASSWORD '{_password(secrets_dir, role)}'") for role in logins),
        *(statement for database in plan for statement in _database(database)),
    ]
    server.run_sql("\n".join(script))


def password_file(secrets_dir: Path, role: str) -> Path:
    """The file, readable by its owner alone, that holds a role's password."""
    return secrets_dir / f"{role}.password"


def _password(secrets_dir: Path, role: str) -> str:
    path = password_file(secrets_dir, role)
    if not path.exists():
        secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, secrets.token_urlsafe(PASSWORD_BYTES))
    return path.read_text().strip()


def _role(name: str, attributes: str) -> str:
    return (
        f"SELECT 'CREATE ROLE {name}' WHERE to_regrole('{name}') IS NULL \\gexec\n"
        f"ALTER ROLE {name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
        f" {attributes};"
    )


def _database(database: Database) -> Iterator[str]:
    name, owner, runtime = database.name, database.owner, database.runtime
    make = f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0"
    there = f"SELECT FROM pg_database WHERE datname = '{name}'"
    yield f"SELECT '{make}' WHERE NOT EXISTS ({there}) \\gexec"
    yield f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
    yield f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {', '.join(database.logins)};"
    for reader in database.readers:
        yield f"REVOKE TEMPORARY ON DATABASE {name} FROM {reader};"
        yield f"ALTER ROLE {reader} CONNECTION LIMIT {READER_CONNECTIONS};"
        yield f"ALTER ROLE {reader} SET default_transaction_read_only = on;"
        yield f"ALTER ROLE {reader} SET statement_timeout = '{READER_STATEMENT_S}s';"
    for member in database.members:
        yield f"GRANT {runtime} TO {member};"
    if database.common:
        yield f"\\connect {name}"
        given = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT"
        yield f"{given} USAGE ON SCHEMAS TO {runtime};"
        yield f"{given} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {runtime};"
        yield f"{given} USAGE ON SEQUENCES TO {runtime};"
        yield "\\connect postgres"
