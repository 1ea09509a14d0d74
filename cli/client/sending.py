"""Requests as they are sent: files in chunks, and again for a while where nobody answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from cli.errors import Failed

CHUNK_BYTES: Final = 256 * 1024
# A service that died is started again; until then the same request may be sent again.
AGAIN_S_MAX: Final = 30.0


@dataclass(slots=True)
class Patience:
    """The time for which a failing request is sent again, since it last worked for a while."""

    begun: float = field(default_factory=time.monotonic)
    end: float | None = None

    def ends(self) -> bool:
        """True if an attempt that failed just now was the last one."""
        now = time.monotonic()
        if self.end is None or now - self.begun > AGAIN_S_MAX:
            self.end = now + AGAIN_S_MAX
        self.begun = now
        return now > self.end


@contextmanager
def opened(file: Path) -> Iterator[tuple[IO[bytes], int]]:
    """A file and its size in bytes."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise Failed(f"{file} cannot be read ({error.strerror}).") from error
    with content:
        yield content, file.stat().st_size


async def chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file's bytes, some at a time."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
