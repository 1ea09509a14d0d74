"""A family's commitment, cycle by cycle: duties judged, money held and released, membership."""

from services.conditionality.domain.commitment.commands import (
    ApproveCorrection,
    Cause,
    Command,
    DecideInvestigation,
    EvaluateCycle,
    RejectCorrection,
    RepeatEvaluation,
)
from services.conditionality.domain.commitment.events import (
    Cleared,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    Event,
    InvestigationOpened,
    InvestigationWithdrawn,
    Released,
    Suspended,
    Terminated,
)
from services.conditionality.domain.commitment.rules import commitment
from services.conditionality.domain.commitment.state import Commitment

__all__ = [
    "ApproveCorrection",
    "Cause",
    "Cleared",
    "Command",
    "Commitment",
    "CorrectionApproved",
    "CorrectionProposed",
    "CorrectionRejected",
    "CorrectionWithdrawn",
    "CycleEvaluated",
    "DecideInvestigation",
    "EvaluateCycle",
    "Event",
    "InvestigationOpened",
    "InvestigationWithdrawn",
    "RejectCorrection",
    "Released",
    "RepeatEvaluation",
    "Suspended",
    "Terminated",
    "commitment",
]
