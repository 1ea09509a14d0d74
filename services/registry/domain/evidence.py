"""Evidence of a proposal: the number of a document, never what it says."""

from __future__ import annotations

import re
from typing import Final

from libs.events.domain.errors import DomainError

# Nine digits in a row could be those of a person or of an account.
EVIDENCE: Final = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9./_-]{2,63}")


class EvidenceMalformed(DomainError):
    """Evidence is the number of a document, without nine digits in a row."""


def check_evidence(evidence: str) -> None:
    """Raises `EvidenceMalformed`, without the value: it may hold what it must not."""
    if not EVIDENCE.fullmatch(evidence):
        raise EvidenceMalformed
