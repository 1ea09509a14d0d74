"""Files that outlive a power cut: keys, passwords, signed heads."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """A file that its owner alone may read, from its first byte on.

    It is on the disk when we return: a power cut that leaves the data and takes the key that it
    is sealed with takes the data too.
    """
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    flush_directory(path.parent)


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write a file that is there whole or not at all, with these rights from its first byte."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_directory(path.parent)


def flush_directory(directory: Path) -> None:
    """Have the names of a directory's files on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
