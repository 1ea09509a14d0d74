"""A payment run step by step: four entitled, three payable, two ordered, one credited, one not."""

from __future__ import annotations

from libs.events.domain.testing import Given, given
from services.payments.domain.run.decider import run
from services.payments.domain.run.messages import (
    ApproveOrder,
    Command,
    Event,
    MarkCredited,
    MarkEntitled,
    OpenRun,
    ProposeOrder,
    Reconcile,
    RecordAccountCheck,
    RecordBankResult,
    RecordFundsRelease,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run.state import RunState
from tests.unit.payments.kit import HASH, ORDER, TAHAP, of

NOTHING = of(0, 0)

OPEN = OpenRun(TAHAP, "REGULAR", HASH, 4, 4_000_000)
ENTITLED: tuple[Command, ...] = (OPEN, MarkEntitled(of(4, 4_000_000), of(3, 3_000_000)))

CHECK = SendAccountCheck("2023-1-REGULAR-CHECK-1", "p1", "p3", 3, 3_000_000, "c" * 64)
ANSWER = RecordAccountCheck(CHECK.file, "d" * 64, of(2, 2_000_000), of(1, 1_000_000))

PROPOSE = ProposeOrder("maker", "SPP-2023-1-REGULAR", HASH, 2, 2_000_000)
APPROVE = ApproveOrder("checker", ORDER, HASH)
ORDERED: tuple[Command, ...] = (*ENTITLED, CHECK, ANSWER, PROPOSE, APPROVE)

FUNDS = RecordFundsRelease(ORDER, "230951304012345", HASH, 2, 2_000_000)
TO_BNI = SendBankFile("BNI", "2023-1-REGULAR-BNI-1", "p1", "p1", 1, 1_200_000, "e" * 64)
TO_BRI = SendBankFile("BRI", "2023-1-REGULAR-BRI-1", "p2", "p2", 1, 800_000, "f" * 64)
SENT: tuple[Command, ...] = (*ORDERED, FUNDS, TO_BNI, TO_BRI)

BNI_RESULT = RecordBankResult(TO_BNI.file, "1" * 64, of(1, 1_200_000), NOTHING)
BRI_RESULT = RecordBankResult(TO_BRI.file, "2" * 64, NOTHING, of(1, 800_000))
RESULTS = (BNI_RESULT, BRI_RESULT)
SETTLED: tuple[Command, ...] = (
    *SENT,
    *RESULTS,
    MarkCredited(of(1, 1_200_000), of(1, 800_000)),
)
RECONCILED = Reconcile(of(2, 2_000_000), of(1, 1_200_000), of(1, 800_000), NOTHING)


def after(*commands: Command) -> Given[Command, RunState, Event]:
    """A run in which these commands were taken, one after another."""
    events: list[Event] = []
    for command in commands:
        events += given(run, *events).when(command).events
    return given(run, *events)
