"""Commands about the versions of the keys: how far a change of them is, and the files it needs."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import connected
from cli.commands.running import STATE, State, out, run
from libs.chassis.durable_files import replace_file
from libs.chassis.settings import PKCS11, SettingRefused, security_module
from libs.privacy.errors import KeyLeaves, ModuleSilent
from libs.privacy.pseudonyms import rows_key
from libs.privacy.security_module import SecurityModule
from libs.privacy.versions import KEY_BYTES, LABEL, KeyVersions

File = Annotated[Path, typer.Argument(help="The file of the key, such as secrets/kek.")]
Version = Annotated[int, typer.Argument(help="A version of it, such as 1.")]

HOLDERS: Final = "registry", "complaints"
"""Who makes keys and says how far a change of what wraps them is."""

keys = typer.Typer(no_args_is_help=True, help="Change the keys that close what is stored.")


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A version of a key, by its file, and how much is not under a newer one yet."""

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
        return [
            version
            for service in HOLDERS
            for version in (await reader.get(service, "/keys", Versions)).versions
        ]


@keys.command("add")
def add(
    file: File,
    label: Annotated[
        str, typer.Option(help="Of a key in the security module of PKH_PKCS11_LIBRARY.")
    ] = "",
) -> None:
    """Add a new version to FILE, which opens; what is new is still made with the one in use.

    With a label it is a key of the security module, made there where there is none yet.
    """
    versions = _read(file)
    newest = versions.numbers[-1] + 1
    if label:
        _make_in_module(label)
        _write(file, replace(versions, labels={**versions.labels, newest: label}))
    else:
        secret = os.urandom(KEY_BYTES)
        _write(file, replace(versions, secrets={**versions.secrets, newest: secret}))
    out.print(f"Version {newest} opens from the next start on.", highlight=False)


def _make_in_module(label: str) -> None:
    if not LABEL.fullmatch(label):
        raise typer.BadParameter("A label is 1 to 32 letters, digits, dots, hyphens, underscores.")
    try:
        address = security_module(os.environ)
        if address is None:
            raise typer.BadParameter(f"{', '.join(PKCS11)} must be set.")
        module = SecurityModule(address)
        made = module.make(label)
        module.cipher(label)
    except (SettingRefused, ModuleSilent, KeyLeaves) as error:
        raise typer.BadParameter(str(error)) from error
    out.print(f"The module {'has made' if made else 'had'} {label}.", highlight=False)


@keys.command("use")
def use(file: File, version: Version) -> None:
    """Make what is new with VERSION of FILE."""
    versions = _read(file)
    _write(file, replace(versions, in_use=_there(versions, version)))
    out.print(f"Version {version} is in use from the next start on.", highlight=False)


@keys.command("drop")
def drop(file: File, version: Version) -> None:
    """Take VERSION out of FILE, once nothing is under it."""
    versions = _read(file)
    if _there(versions, version) == versions.in_use:
        raise typer.BadParameter("It is in use.")
    secrets, labels = dict(versions.secrets), dict(versions.labels)
    gone = secrets.pop(version, None)
    labels.pop(version, None)
    # Fingerprints of rows stay as the first token key made them, or every row would be another. A
    # file with labels has no such key.
    first = gone if version == 1 and not labels else None
    rows = versions.rows or (rows_key(first) if first else None)
    _write(file, KeyVersions(versions.in_use, secrets, rows, labels))
    out.print(f"Version {version} is gone from the next start on.", highlight=False)


def _there(versions: KeyVersions, version: int) -> int:
    if version not in versions.numbers:
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
