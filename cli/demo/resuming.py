"""A run of a year that was killed goes on: how its directory and its requests are known again."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cli.errors import Failed

CARD: Final = "demo.json"
CHUNK_BYTES: Final = 1024 * 1024
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:pkh:demo")


@dataclass(frozen=True, slots=True)
class YearRun:
    """The run of one year's files on one bus; `files` is their fingerprint as 64 hex digits."""

    files: str
    bus: str

    @classmethod
    def of(cls, directory: Path, bus: str) -> Self:
        """The run of the files of a directory, but for its expected results."""
        digest = hashlib.sha256()
        for path in sorted(directory.glob("*.csv")):
            digest.update(f"{path.name} {_digest(path)}\n".encode())
        return cls(digest.hexdigest(), bus)

    def key(self, step: str) -> str:
        """The Idempotency-Key of a step: the same whenever this run comes to it."""
        return str(uuid.uuid5(NAMESPACE, f"{self.files} {step}"))

    def take(self, data_dir: Path) -> bool:
        """Take a directory for the platform's state; answers whether this run was begun there.

        Raises `Failed` where the directory holds anything else.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        card, new = data_dir / CARD, data_dir / f"{CARD}.new"
        if not [path for path in data_dir.iterdir() if path != new]:
            # In one piece, or a run that was killed just now would not be known again.
            new.write_text(json.dumps({"files": self.files, "bus": self.bus}))
            new.replace(card)
            return False
        found = _read(card)
        if found is None:
            raise Failed(f"{data_dir} is not empty, and what it holds is no run of a year.")
        if found["files"] != self.files:
            raise Failed(
                f"{data_dir} holds the run of another year's files; name another directory."
            )
        if found["bus"] != self.bus:
            raise Failed(f"{data_dir} holds a run on the {found['bus']} bus; name it with --bus.")
        return True


def _read(card: Path) -> dict[str, str] | None:
    try:
        found = json.loads(card.read_text())
        return {"files": str(found["files"]), "bus": str(found["bus"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
