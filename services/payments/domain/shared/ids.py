"""The names of payments, runs, documents and files, all computed.

But for the end of a file's: that is drawn, so that nobody can know a file before it is sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from services.payments.domain.shared.errors import Malformed

# A disk format: uuid5(NAMESPACE_URL, "urn:pkh:payment"). Another value would pay everybody twice.
NAMESPACE: Final = UUID("5c89ec0d-70ce-57c3-afb8-976224345671")

REGULAR: Final = "REGULAR"
KIND: Final = re.compile(r"REGULAR|(?:SUPPLEMENTARY|CORRECTION)-[1-9][0-9]{0,2}")
TAHAP: Final = re.compile(r"[0-9]{4}-[1-9]")
_AGAIN: Final = re.compile(r"-R[1-9][0-9]*\Z")


def supplementary(number: int) -> str:
    """The kind of the n-th supplementary run of a tahap, from 1."""
    return checked_kind(f"SUPPLEMENTARY-{number}")


def checked_kind(kind: str) -> str:
    """`kind` itself; Malformed when it is none."""
    if not KIND.fullmatch(kind):
        raise Malformed(kind=kind)
    return kind


def checked_tahap(tahap: str) -> str:
    """`tahap` itself, e.g. 2023-1; Malformed when it is none."""
    if not TAHAP.fullmatch(tahap):
        raise Malformed(tahap=tahap)
    return tahap


@lru_cache(maxsize=10_000)  # a chunk asks for the same ones again
def payment_id(tahap: str, family: str, kind: str = REGULAR) -> str:
    """The id of the one payment of this kind that a family can have in a tahap.

    It is payment, end-to-end reference at the bank and part of the stream id at once. It never
    depends on amount, time or attempt, so that asking again cannot pay again.
    """
    return str(uuid5(NAMESPACE, f"{tahap}|{family.lower()}|{kind}"))


def run_id(tahap: str, kind: str) -> str:
    """The id of a payment run, e.g. 2023-1-REGULAR."""
    return f"{tahap}-{kind}"


def request_id(tahap: str, kind: str, revision: int = 1) -> str:
    """The payment request (SPP) of a run, in a revision of its tahap."""
    return f"SPP-{run_id(tahap, kind)}{_again(revision)}"


def order_id(tahap: str, kind: str, revision: int = 1) -> str:
    """The payment order (SPM) of a run, in a revision of its tahap.

    A later revision has an order of its own: one that was cancelled is never released any more.
    """
    return f"SPM-{run_id(tahap, kind)}{_again(revision)}"


def of_order(order: str) -> str:
    """The part of an id that tells a later order's rows from the first one's: empty, or as -R2.

    A payment is instructed again where its tahap was cancelled and announced anew.
    """
    found = _AGAIN.search(order)
    return found.group() if found else ""


def file_id(tahap: str, kind: str, bank: str | None, revision: int, drawn: str) -> str:
    """The id of a run's file to a bank, or to the treasury (`bank` None); `drawn` is its end.

    Partners take 3,000,000 lines a file, so there is one of each. It is new only where none was
    committed before: of one id a partner takes one content alone.
    """
    return f"{run_id(tahap, kind)}{_again(revision)}-{bank or 'CHECK'}-1-{drawn}"


def paid_person(tahap: str, kind: str, person: str, revision: int = 1) -> tuple[str, str]:
    """The (kind, token) of the claim that a person's money of a tahap is paid once.

    A supplementary run pays what the regular run left out, hence both make the same claim: a
    person under two cards must not be paid by the one and then by the other. A correction adds
    to a payment that was made, so it claims for itself. A later revision of the tahap claims anew:
    each payment of the one before it is void, and whom it named is paid by nobody yet.
    """
    own = REGULAR if kind.startswith("SUPPLEMENTARY-") else kind
    announced = f"{tahap}/{revision}" if revision > 1 else tahap
    return "paid_person", f"{announced}|{own}|{person}"


def _again(revision: int) -> str:
    """The end of a name that the first revision of a tahap does not have."""
    return f"-R{revision}" if revision > 1 else ""
