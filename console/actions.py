"""The acts that end a row of a work list: which service decides it, and what one looks at first.

The service that owns the thing decides by the person's own token, by the version that they saw, and
refuses a second step by the same person. Nothing of that is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from libs.chassis.auth import Principal
from services.projection.tables.worklists import ListName


@dataclass(frozen=True, slots=True)
class Action:
    """One act. `seen` is read first, and its version is what the act rests on; `asks` names what
    whoever acts has to add, a code."""

    name: str
    service: str
    scopes: Sequence[str]
    seen: str
    path: str
    body: Mapping[str, str] = field(default_factory=dict)
    asks: str | None = None

    def is_for(self, reader: Principal) -> bool:
        """True where somebody may both see the thing and act on it."""
        return reader.scopes.issuperset(self.scopes)


_CORRECTION: Final = "/commitments/{family}/corrections/{reference}"
_CORRECTING: Final = ("conditionality:read", "conditionality:approve")
_INVESTIGATION: Final = "/investigations/{family}/{tahap}"
_FINDING: Final = ("conditionality:read", "conditionality:investigate")
_REOPENING: Final = "/reopenings/{family}/{tahap}"
_REOPENING_SCOPES: Final = ("registry:read", "registry:approve")
_HOLD: Final = "/families/{family}/holds"


def _decided(name: str, decision: str, path: str, service: str, scopes: Sequence[str]) -> Action:
    return Action(name, service, scopes, path, f"{path}/decision", {"decision": decision})


def _found(name: str, outcome: str) -> Action:
    path = f"{_INVESTIGATION}/finding"
    return Action(name, "conditionality", _FINDING, _INVESTIGATION, path, {"outcome": outcome})


ACTIONS: Final[Mapping[ListName, Sequence[Action]]] = {
    "corrections": tuple(
        Action(name, "conditionality", _CORRECTING, "/commitments/{family}", f"{_CORRECTION}{last}")
        for name, last in (("approve", "/approval"), ("reject", "/rejection"))
    ),
    "reopenings": (
        _decided("approve", "APPROVED", _REOPENING, "registry", _REOPENING_SCOPES),
        _decided("reject", "REJECTED", _REOPENING, "registry", _REOPENING_SCOPES),
    ),
    "investigations": (
        _found("confirm", "CONFIRMED"),
        _found("not-confirm", "NOT_CONFIRMED"),
        _decided("approve", "APPROVED", _INVESTIGATION, "conditionality", _CORRECTING),
        _decided("reject", "REJECTED", _INVESTIGATION, "conditionality", _CORRECTING),
    ),
    "on-hold": (
        Action(
            "propose-end",
            "payments",
            ("payments:read", "payments:make"),
            _HOLD,
            f"{_HOLD}/end-proposal",
            asks="reason",
        ),
        Action(
            "approve-end",
            "payments",
            ("payments:read", "payments:check"),
            _HOLD,
            f"{_HOLD}/end-approval",
        ),
    ),
}
"""The acts on the rows of a list, a name each."""


def actions_of(name: ListName, reader: Principal) -> list[Action]:
    """The acts on a list's rows that are somebody's."""
    return [action for action in ACTIONS.get(name, ()) if action.is_for(reader)]


def flat(answer: Any, name: str = "") -> list[tuple[str, str]]:
    """An answer, a line for each value that it says: ("finding.outcome", "CONFIRMED")."""
    match answer:
        case dict():
            inner = [(f"{name}.{key}" if name else key, value) for key, value in answer.items()]
        case list():
            inner = [(f"{name}.{number}", value) for number, value in enumerate(answer, 1)]
        case None | "":
            return []
        case _:
            return [(name, str(answer))]
    return [line for key, value in inner for line in flat(value, key)]
