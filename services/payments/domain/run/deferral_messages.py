"""Lines that leave a payment run by name, before the file that they would stand in is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNANSWERED: Final = "ACCOUNT_CHECK_UNANSWERED"
"""The reason of a line of whose account the treasury said neither yes nor no."""


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
class ProposeUnanswered:
    """The maker's wish to go on without the lines that the account check leaves without an answer.

    They are all that are so at this moment; `hash` is over them.
    """

    maker: str
    hash: str
    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class DeferUnanswered:
    """Another person's approval: take out the lines that stand without an answer now."""

    checker: str
    hash: str
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


@dataclass(frozen=True, slots=True)
class UnansweredProposed:
    """Somebody proposes to go on without the lines of this hash; replaced by the next proposal."""

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    maker: str


@dataclass(frozen=True, slots=True)
class UnansweredDeferred:
    """Two people decided to go on without lines that the treasury left without an answer.

    `LinesDeferred` names them. A supplementary run may pay them, once their accounts are checked.
    """

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    maker: str
    checker: str
