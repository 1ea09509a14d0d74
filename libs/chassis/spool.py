"""Uploads on their way: received whole before a database hears of them.

However slowly somebody sends, only a file waits for them, and no connection of the database. Rows
hold people's data in clear, so what stands on the disk is sealed by a key that is never written
and is forgotten with the upload, in a file without a name that ends with its process.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from libs.chassis.limits import Limits
from libs.chassis.problems import Refusal
from libs.events.telemetry.metrics import HTTP_REFUSALS

PIECE_BYTES: Final = 262_144
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
RETRY_AFTER_S: Final = "30"


class Upload:
    """One upload as it was received; `size` in bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.size = 0
        self._file = file
        self._rest = bytearray()
        key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
        self._cipher = Cipher(algorithms.AES256(key), modes.CTR(nonce))
        self._sealing = self._cipher.encryptor()

    async def add(self, chunk: bytes) -> None:
        """Take a chunk behind those before it."""
        self.size += len(chunk)
        self._rest += chunk
        if len(self._rest) >= PIECE_BYTES:
            await asyncio.to_thread(self._file.write, self._sealing.update(bytes(self._rest)))
            self._rest.clear()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they came, once."""
        opening = self._cipher.decryptor()
        await asyncio.to_thread(self._file.seek, 0)
        while sealed := await asyncio.to_thread(self._file.read, PIECE_BYTES):
            yield opening.update(sealed)
        yield bytes(self._rest)


class Spool:
    """The uploads of one process: so many of a client and in all, so many bytes, so many at once
    in the database."""

    def __init__(self, limits: Limits, directory: Path | None) -> None:
        self._limits, self._directory = limits, directory
        self._of_client: Counter[str] = Counter()
        self._bytes = 0
        self._turns = asyncio.Semaphore(limits.uploads_taken_in_max)
        self._turns_of_client: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def received(self, client: str, body: AsyncIterable[bytes]) -> AsyncIterator[Upload]:
        """A client's upload once all of it is here, when its turn in the database has come.

        Raises a 429 `Refusal` where this client or all together send too many, 503 where there is
        no room for it.
        """
        self._begin(client)
        size = 0
        try:
            with self._new_file() as file:
                upload = Upload(file)
                async for chunk in body:
                    size += len(chunk)
                    self._bytes += len(chunk)
                    await self._add(upload, chunk)
                # Its own first: while one client's files wait for each other, others' are taken in.
                async with self._turns_of_client[client], self._turns:
                    yield upload
        finally:
            self._bytes -= size
            self._end(client)

    def _begin(self, client: str) -> None:
        of_client, of_all = self._of_client[client], self._of_client.total()
        if of_client >= self._limits.uploads_per_client_max or of_all >= self._limits.uploads_max:
            HTTP_REFUSALS.labels("uploads").inc()
            raise Refusal(
                429,
                "too-many-uploads",
                "As many files as may be are on their way already.",
                {"Retry-After": RETRY_AFTER_S},
            )
        self._of_client[client] += 1
        turns = asyncio.Semaphore(self._limits.uploads_taken_in_per_client_max)
        self._turns_of_client.setdefault(client, turns)

    def _end(self, client: str) -> None:
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client], self._turns_of_client[client]

    def _new_file(self) -> IO[bytes]:
        try:
            return tempfile.TemporaryFile(dir=self._directory)
        except OSError as error:
            raise self._no_room() from error

    async def _add(self, upload: Upload, chunk: bytes) -> None:
        try:
            if self._bytes <= self._limits.spool_bytes_max:
                return await upload.add(chunk)
        except OSError:  # the disk is full or away
            pass
        raise self._no_room()

    def _no_room(self) -> Refusal:
        HTTP_REFUSALS.labels("spool").inc()
        return Refusal(
            503,
            "spool-full",
            "There is no room for this file until others are taken in.",
            {"Retry-After": RETRY_AFTER_S},
        )
