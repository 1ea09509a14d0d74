"""Reports of proofs to the platform that was proven, for its operators, alerts and console."""

from __future__ import annotations

from typing import Final, Literal

from cli.client.http import Connected
from cli.errors import Failed

ProofKind = Literal["VERIFICATION", "WITNESS"]
SCOPE: Final = "platform:prove"


async def report_proof(
    platform: Connected, kind: ProofKind, subject: str, findings: int
) -> str | None:
    """Why the report did not arrive, None where it did: the proof stands without."""
    try:
        prover = platform.client(subject, SCOPE)
        await prover.post("projection", "/proof-reports", {"kind": kind, "findings": findings})
    except Failed as error:
        return f"This could not be reported to the platform: {error}"
    return None
