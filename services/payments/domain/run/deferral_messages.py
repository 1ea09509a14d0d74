"""Lines that leave a payment run by name, before the file that they would stand in is committed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeferredLine:
    """A payment of a run, with its family, bank and whole rupiah, and the code of why it leaves."""

    payment: str
    family: str
    bank: str
    rupiah: int
    reason: str


@dataclass(frozen=True, slots=True)
class DeferLines:
    """Take these lines out of the run; each of them is payable by a supplementary run."""

    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class WithdrawFile:
    """Take back a committed file that its partner never took, and these lines out of the run.

    They cannot be rendered any more, so neither can the file as it was committed.
    """

    file: str
    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class FileWithdrawn:
    """The file of this id is void; it is committed anew with what is left of it."""

    tahap: str
    kind: str
    file: str


@dataclass(frozen=True, slots=True)
class LinesDeferred:
    """The run goes on without these lines; what it comes to from here on is less by them."""

    tahap: str
    kind: str
    lines: tuple[DeferredLine, ...]
