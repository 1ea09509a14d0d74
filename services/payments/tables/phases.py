"""The phases of tahaps and their lists, in a word each."""

from __future__ import annotations

from pydantic import BaseModel

from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample
from services.payments.contract import TAHAP
from services.payments.domain.run.state import RunState, RunStep
from services.payments.domain.tahap.state import PaymentList, TahapState


class TahapPhase(BaseModel):
    """A tahap and how far it is."""

    tahap: str
    phase: str


def tahap_phase(state: TahapState) -> str:
    """PROPOSED, COLLECTING, READY, FREEZE_PROPOSED, PAYING, SETTLED or CLOSED; CANCELLING while
    a cancelled one is taken back, CANCELLED then."""
    if state.undoing:
        return "CANCELLING"
    if state.announced is None:
        return "PROPOSED" if state.proposal is not None else "CANCELLED"
    if state.closed is not None:
        return "CLOSED"
    if state.lists and all(payment_list.settled for payment_list in state.lists):
        return "SETTLED"
    return list_phase(state.lists[0])


def list_phase(payment_list: PaymentList) -> str:
    """COLLECTING, READY, FREEZE_PROPOSED or PAYING."""
    if payment_list.frozen is not None:
        return "PAYING"
    if payment_list.proposal is not None:
        return "FREEZE_PROPOSED"
    return "READY" if payment_list.ready is not None else "COLLECTING"


def run_phase(payment_list: PaymentList, state: RunState) -> str:
    """A run's phase: its list's until that is frozen, then by the documents that it has."""
    if payment_list.frozen is None:
        return list_phase(payment_list)
    match state.next_step:
        case RunStep.OPEN | RunStep.ENTITLE:
            return "ENTITLING"
        case RunStep.CHECK_ACCOUNTS:
            return "CHECKING_ACCOUNTS"
        case RunStep.ORDER:
            return "ORDER_PROPOSED" if state.request is not None else "ORDER_READY"
        case RunStep.RELEASE_FUNDS:
            return "RELEASING_FUNDS"
        case RunStep.PAY:
            return _paying(state)
        case RunStep.RECONCILE:
            return "CHECKING_ACCOUNTS" if state.order is None else _paying(state)
        case RunStep.DONE:
            return "RECONCILED"


def _paying(state: RunState) -> str:
    return "AWAITING_BANKS" if state.sent == state.instructed else "DISPATCHING"


async def tahaps(store: Store, after: str | None, limit: int) -> list[TahapPhase]:
    """The tahaps behind one that are announced or proposed, in order, and how far each is."""
    # A handful a year: all are read, because those whose proposal was withdrawn are left out.
    async with store.looking() as look:
        names = await look.names_of("tahap", after or "")
        found = await look.load(TAHAP, [TAHAP.stream(name) for name in names])
    standing = [loaded.state for _, loaded in sorted(found.items()) if loaded.state.tahap]
    return [TahapPhase(tahap=state.tahap, phase=tahap_phase(state)) for state in standing[:limit]]


async def closing_readings(store: Store) -> list[Sample]:
    """The gauge of closings that are proposed and that nobody has announced yet."""
    # All tahaps of some decades: there is a handful a year.
    phases = [tahap.phase for tahap in await tahaps(store, None, 1_000)]
    return [Sample(telemetry.PROPOSED_CLOSINGS, phases.count("PROPOSED"), ())]
