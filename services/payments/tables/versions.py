"""Versions of what people decide on in a tahap: its ETag, and what If-Match is held against.

A tahap moves by itself most of the time: lines arrive, accounts are checked, banks answer. None of
that is a reason for a person to look again. The version is of what is proposed, approved and left
over, so it changes when a list is ready or ready anew, at each step that a person takes, and when
there is something to order.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from libs.chassis.bodies import TahapUnknown
from libs.chassis.etag import Seen, etag
from libs.events.store.handle import Loaded, handle_many
from libs.events.store.model import Outcome, encode
from libs.events.store.transaction import Transaction
from services.payments.contract import RUN, TAHAP
from services.payments.domain.run.state import RunState
from services.payments.domain.tahap.messages import Command, Event, Terms
from services.payments.domain.tahap.state import TahapState

CHARACTERS: Final = 16


@dataclass(slots=True)
class Standing:
    """A tahap as it stands, and then as it is left; `runs` by kind, one for each of its lists."""

    loaded: Loaded[TahapState]
    runs: dict[str, RunState]

    @property
    def tahap(self) -> TahapState:
        """The tahap's state."""
        return self.loaded.state

    async def decide(self, unit: Transaction, command: Command) -> Outcome[TahapState, Event]:
        """Have the tahap decide a command; it stands as that leaves it. Raises its refusal."""
        stream = TAHAP.stream(self.tahap.tahap)
        loaded = {stream: self.loaded}
        [outcome] = await handle_many(unit, TAHAP, [(stream, command)], preloaded=loaded)
        if outcome.error is not None:
            raise outcome.error
        self.loaded = Loaded(outcome.version, outcome.state, outcome.state)
        return outcome

    @property
    def terms(self) -> Terms:
        """The terms that it is announced with, that wait for approval, or that were cancelled."""
        cancelled = self.tahap.cancelled
        terms = self.tahap.terms or (cancelled.terms if cancelled else None)
        if terms is None:
            raise TahapUnknown
        return terms

    @property
    def version(self) -> str:
        """The version of what people decide on."""
        state = self.tahap
        lists = [
            (
                payment_list.kind,
                payment_list.families,
                payment_list.ready,
                payment_list.proposal,
                payment_list.frozen is not None,
            )
            for payment_list in state.lists
        ]
        # A run that nobody has opened says as little as one that is not loaded.
        opened = [
            (kind, run)
            for kind, run in sorted(self.runs.items())
            if run.opened is not None and state.list_of(kind) is not None
        ]
        orders = [
            (kind, run.request, run.order is not None, len(run.deferred))
            for kind, run in opened
            if run.check_complete
        ]
        let_go = [
            (kind, run.unanswered_proposal)
            for kind, run in opened
            if run.unanswered_proposal is not None
        ]
        announcement = (state.revision, state.announced is not None, state.undoing, state.proposal)
        whole = (announcement, lists, orders, let_go, state.outstanding, state.closed is not None)
        return hashlib.sha256(encode(whole)).hexdigest()[:CHARACTERS]


async def load(unit: Transaction, tahap: str) -> Standing:
    """A tahap as it stands. Raises `TahapUnknown` where it was never announced or proposed."""
    stream = TAHAP.stream(tahap)
    found = (await unit.load(TAHAP, [stream])).get(stream)
    if found is None or not found.state.tahap:
        raise TahapUnknown(tahap=tahap)
    streams = {
        payment_list.kind: RUN.stream(tahap, payment_list.kind)
        for payment_list in found.state.lists
    }
    there = await unit.load(RUN, sorted(streams.values()))
    runs = {
        kind: there[stream].state if stream in there else RunState()
        for kind, stream in streams.items()
    }
    return Standing(found, runs)


async def ensure_seen(unit: Transaction, tahap: str, seen: Seen) -> Standing:
    """The tahap as the caller saw it; it and its runs stay so until we commit.

    Raises `TahapUnknown`, or 412 when what people decide on has changed since.
    """
    kinds = await unit.names_of(f"run-{tahap}")
    await unit.hold([TAHAP.stream(tahap), *(RUN.stream(tahap, kind) for kind in kinds)])
    standing = await load(unit, tahap)
    seen.ensure(standing.version)
    return standing


async def etag_of(unit: Transaction, tahap: str) -> dict[str, str]:
    """The header that says the version after what this transaction did."""
    return {"ETag": etag((await load(unit, tahap)).version)}
