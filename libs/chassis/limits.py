"""Limits of what callers may take of a process, so that one of them stops nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process, each a variable of its environment."""

    connections_max: int = 1_000
    """PKH_CONNECTIONS_MAX: open at once; a request beyond is answered 503."""
    idle_connections_max: int = 500
    """PKH_IDLE_CONNECTIONS_MAX: waiting for clients; beyond, the longest idle one goes."""
    idle_connections_per_address_max: int = 100
    """PKH_IDLE_CONNECTIONS_PER_ADDRESS_MAX: the same, of one address."""
    header_bytes_max: int = 65_536
    """PKH_HEADER_BYTES_MAX: of address and headers together."""
    header_s: int = 10
    """PKH_HEADER_S: from the first byte, or the connection, to the end of the headers."""
    idle_s: int = 20
    """PKH_IDLE_S: between two requests, and while nobody reads an answer."""
    least_bytes_a_second: int = 8_192
    """PKH_LEAST_BYTES_A_SECOND: that a client has to send or read."""
    body_grace_s: int = 10
    """PKH_BODY_GRACE_S: that a body may take beyond that rate."""
    body_s: int = 60
    """PKH_BODY_S: that a body may take in all."""
    upload_s: int = 14_400
    """PKH_UPLOAD_S: the same of a file."""
    uploads_per_client_max: int = 4
    """PKH_UPLOADS_PER_CLIENT_MAX: files of one client on their way."""
    uploads_max: int = 64
    """PKH_UPLOADS_MAX: files of all."""
    uploads_taken_in_max: int = 3
    """PKH_UPLOADS_TAKEN_IN_MAX: files at once in the database, each on a connection."""
    uploads_taken_in_per_client_max: int = 2
    """PKH_UPLOADS_TAKEN_IN_PER_CLIENT_MAX: of one client."""
    spool_bytes_max: int = 8 * 1024**3
    """PKH_SPOOL_BYTES_MAX: of all files on their way together."""
    statement_s: int = 60
    """PKH_STATEMENT_S: that a statement of a request may take in the database."""
    answers_kept_days: int = 90
    """PKH_ANSWERS_KEPT_DAYS: that an answer is known by its key, and an upload as a job."""
    requests_a_second: int = 300
    """PKH_REQUESTS_A_SECOND: of one client."""
    requests_burst_max: int = 3_000
    """PKH_REQUESTS_BURST_MAX: of one client, before that rate holds."""
    requests_at_once_max: int = 64
    """PKH_REQUESTS_AT_ONCE_MAX: of one client."""
    strangers_a_second: int = 100
    """PKH_STRANGERS_A_SECOND: requests of one address to paths that need no token."""
    strangers_burst_max: int = 1_000
    """PKH_STRANGERS_BURST_MAX: of one address, before that rate holds."""
    refused_tokens_a_second: int = 1
    """PKH_REFUSED_TOKENS_A_SECOND: of one address."""
    refused_tokens_burst_max: int = 30
    """PKH_REFUSED_TOKENS_BURST_MAX: of one address, before that rate holds."""

    @classmethod
    def read(cls, whole: Callable[[str, int], int]) -> Self:
        """The limits that `whole` answers, asked by a variable's name and its default."""
        defaults = cls()
        names = [limit.name for limit in fields(cls)]
        return cls(
            **{name: whole(f"PKH_{name.upper()}", getattr(defaults, name)) for name in names}
        )
