"""A copy of a witness's file on another host, whose own command appends to it and does no more.

Whoever has this machine and the witness's key can write the file anew, but not the copy. Its host
is reached by a command such as `ssh witness@archive`, where the key is allowed this one alone:

    restrict,command="cat >> heads.jws; sha256sum < heads.jws" ssh-ed25519 ...
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from pathlib import Path
from typing import Final

from cli.errors import Failed

ANSWER_S_MAX: Final = 60.0


def send(file: Path, command: str) -> int:
    """Have the copy appended to up to the file's end; the lines that it lacked.

    `command` appends what it reads, and prints the SHA-256 of the whole copy. Raises `Failed` where
    it does not answer, or where the copy is no beginning of the file: one of them was rewritten.
    """
    lines = file.read_bytes().splitlines(keepends=True)
    beginnings = _beginnings(lines)
    there = beginnings.get(_answer(command, b""))
    if there is None:
        raise Failed(f"{file} does not go on from its copy: keep both, one of them was rewritten.")
    if there < len(lines):
        after = _answer(command, b"".join(lines[there:]))
        if beginnings.get(after) != len(lines):
            raise Failed(f"The copy of {file} is not what was sent.")
    return len(lines) - there


def _beginnings(lines: list[bytes]) -> dict[str, int]:
    """{SHA-256 in hex: the count of lines from the first on that come to it}."""
    digest = hashlib.sha256()
    found = {digest.hexdigest(): 0}
    for count, line in enumerate(lines, 1):
        digest.update(line)
        found[digest.hexdigest()] = count
    return found


def _answer(command: str, lines: bytes) -> str:
    words = shlex.split(command)
    try:
        done = subprocess.run(
            words, input=lines, capture_output=True, timeout=ANSWER_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"The witness's copy: {type(error).__name__}.") from error
    printed = done.stdout.decode("ascii", "replace").split()
    if done.returncode or not printed:
        raise Failed(f"The witness's copy: its command ended with {done.returncode}.")
    return printed[0]
