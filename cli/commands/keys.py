"""Commands about the versions of the keys: how far a change of them is, and the files it needs."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from libs.chassis.durable_files import replace_file
from libs.privacy.pseudonyms import rows_key
from libs.privacy.versions import KEY_BYTES, KeyVersions

File = Annotated[Path, typer.Argument(help="The file of the key, such as secrets/kek.")]
Version = Annotated[int, typer.Argument(help="A version of it, such as 1.")]

keys = typer.Typer(no_args_is_help=True, help="Change the keys that close what is stored.")


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A version of a key, and how much is not under a newer one yet."""

    secret: str
    version: int
    state: str
    left: int

    def __str__(self) -> str:
        return f"{self.secret} {self.version} {self.state}: {self.left:,}"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of all keys, the oldest first."""

    versions: tuple[KeyVersion, ...]


@keys.command("list")
def list_(person: Annotated[str, typer.Option("--as")] = "observer", data: State = STATE) -> None:
    """List the versions of the keys, and what is under each."""
    for one in run(_list(person, data)):
        out.print(str(one), highlight=False)


async def _list(person: str, data: Path) -> list[KeyVersion]:
    async with connected(data) as platform:
        reader = platform.client(person, "platform:read")
        return list((await reader.get("registry", "/keys", Versions)).versions)


@keys.command("add")
def add(file: File) -> None:
    """Add a new version to FILE, which opens; what is new is still made with the one in use."""
    versions = _read(file)
    newest = max(versions.secrets) + 1
    secrets = {**versions.secrets, newest: os.urandom(KEY_BYTES)}
    _write(file, KeyVersions(versions.in_use, secrets, versions.rows))
    out.print(f"Version {newest} opens from the next start on.", highlight=False)


@keys.command("use")
def use(file: File, version: Version) -> None:
    """Make what is new with VERSION of FILE."""
    versions = _read(file)
    _write(file, KeyVersions(_there(versions, version), versions.secrets, versions.rows))
    out.print(f"Version {version} is in use from the next start on.", highlight=False)


@keys.command("drop")
def drop(file: File, version: Version) -> None:
    """Take VERSION out of FILE, once nothing is under it."""
    versions = _read(file)
    if _there(versions, version) == versions.in_use:
        raise typer.BadParameter("It is in use.")
    secrets = dict(versions.secrets)
    gone = secrets.pop(version)
    # Fingerprints of rows stay as the first token key made them, or every row would be another.
    rows = versions.rows or (rows_key(gone) if version == 1 else None)
    _write(file, KeyVersions(versions.in_use, secrets, rows))
    out.print(f"Version {version} is gone from the next start on.", highlight=False)


def _there(versions: KeyVersions, version: int) -> int:
    if version not in versions.secrets:
        raise typer.BadParameter(f"The file has no version {version}.")
    return version


def _read(file: Path) -> KeyVersions:
    try:
        return KeyVersions.read(file.read_text())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} is no file of keys.") from error


def _write(file: Path, versions: KeyVersions) -> None:
    """The new file in the place of the old one at one stroke, as readable as that was."""
    mode = stat.S_IMODE(file.stat().st_mode)
    replace_file(file, versions.written(), mode)
    file.chmod(mode)
