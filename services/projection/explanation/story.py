"""The material of an explanation: a family's messages, the tahap's, and what was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from services.projection.explanation.answer import Known
from services.projection.explanation.clauses import Clauses
from services.projection.explanation.household import Household, of_kind
from services.projection.explanation.messages import (
    CorrectionApproved,
    CycleEvaluated,
    CycleWithdrawn,
    FamilyDesignated,
    FamilyGraduated,
    FamilyReopened,
    FamilyUnlisted,
    GraduationPending,
    PaymentDeferred,
    PaymentEntitled,
    PaymentVoided,
    Published,
    ReopeningProposed,
    Terminated,
    TerminationTakenBack,
)
from services.projection.explanation.tahap_messages import (
    ClosingAnnounced,
    ListingStarted,
    TahapCancelled,
)

B = TypeVar("B")


TAKEN_BACK: Final = (FamilyUnlisted, CycleWithdrawn, PaymentVoided)


def tahap_order(tahap: str) -> tuple[int, int]:
    """The order of tahaps in time: (year, number)."""
    year, number = tahap.split("-")
    return int(year), int(number)


@dataclass(frozen=True, slots=True)
class Story:
    """One family in one tahap. `messages` are of the family, `of_tahap` of the tahap, in any order.

    `disposition` is that of the tahap's row, None where the family has no row in it; `void` is what
    a cancellation of the tahap took back of the family, and what says so.
    """

    family: str
    tahap: str
    disposition: str | None
    messages: tuple[Published[Any], ...]
    of_tahap: tuple[Published[Any], ...]
    announced: Published[ClosingAnnounced]
    horizon: Known
    household: Household
    clauses: Clauses
    void: tuple[Published[Any], ...] = ()

    @classmethod
    def of(
        cls,
        family: str,
        tahap: str,
        disposition: str | None,
        messages: Iterable[Published[Any]],
        of_tahap: Iterable[Published[Any]],
    ) -> Story | None:
        """The story; None where the tahap was never announced."""
        everything = tuple(sorted(messages, key=_position))
        messages = _standing(everything)
        stands = {_position(message) for message in messages}
        around = tuple(sorted(of_tahap, key=_position))
        announcements = of_kind(around, ClosingAnnounced)
        announced = max(announcements, key=lambda message: message.body.revision, default=None)
        if announced is None:
            return None
        lists = [message.body for message in of_kind(around, ListingStarted)]
        latest = max(lists, key=lambda listing: listing.revision, default=None)
        horizon = Known(announced.body.closing_date, latest.cut if latest else None)
        return cls(
            family=family,
            tahap=tahap,
            disposition=disposition,
            messages=messages,
            of_tahap=around,
            announced=announced,
            horizon=horizon,
            household=_household(messages, horizon, tahap),
            clauses=Clauses.of(around, announced.body),
            void=tuple(x for x in everything if _position(x) not in stands and _tahap(x) == tahap),
        )

    def here(self, kind: type[B]) -> list[Published[B]]:
        """The family's messages of a kind that speak of this tahap."""
        return [
            message for message in of_kind(self.messages, kind) if _tahap(message) == self.tahap
        ]

    def documents(self, kind: type[B], run: str) -> list[Published[B]]:
        """The tahap's messages of a kind that belong to a run: REGULAR or SUPPLEMENTARY-n.

        Those of a cancelled announcement belong to none.
        """
        void = max(
            (message.position for message in of_kind(self.of_tahap, TahapCancelled)), default=-1
        )
        found = [message for message in of_kind(self.of_tahap, kind) if message.position > void]
        return [message for message in found if getattr(message.body, "kind", run) == run]

    @property
    def cancelled(self) -> bool:
        """True where the tahap's latest announcement is cancelled."""
        ends = [message.body.revision for message in of_kind(self.of_tahap, TahapCancelled)]
        return self.announced.body.revision in ends

    # -- What most steps look at -------------------------------------------------------------------

    @property
    def designated(self) -> Published[FamilyDesignated] | None:
        """The family's latest judgement by this tahap.

        It is that of its first closing, but for one on hold for a duplicate that was decided since.
        """
        for message in reversed(list(of_kind(self.messages, FamilyDesignated))):
            if tahap_order(message.body.tahap) <= tahap_order(self.tahap):
                return message
        return None

    @property
    def graduated(self) -> Published[FamilyGraduated] | None:
        """That the family graduated with this tahap or an earlier one."""
        back = max(
            (message.position for message in of_kind(self.messages, FamilyReopened)), default=0
        )
        for message in of_kind(self.messages, FamilyGraduated):
            if message.position > back and tahap_order(message.body.tahap) <= tahap_order(
                self.tahap
            ):
                return message
        return None

    @property
    def pending(self) -> Published[GraduationPending] | None:
        """The message that the family held no category at this closing and waits."""
        found = self.here(GraduationPending)
        return found[-1] if found else None

    @property
    def reopened(self) -> Published[FamilyReopened] | None:
        """The message that the family is re-opened and listed behind this tahap's list."""
        return _reopened(self.messages, self.tahap)

    @property
    def terminated_before(self) -> Published[Terminated] | None:
        """That an earlier tahap was the family's last, and it was not judged again since then."""
        here = tahap_order(self.tahap)
        judged = [tahap_order(m.body.tahap) for m in of_kind(self.messages, CycleEvaluated)]
        for message in reversed(list(of_kind(self.messages, Terminated))):
            last = tahap_order(message.body.cycle)
            if last < here:
                back = any(last < cycle < here for cycle in judged)
                return None if back else message
        return None

    @property
    def taken_back(self) -> Published[TerminationTakenBack] | None:
        """That the termination that keeps the family from this tahap was taken back later."""
        before = self.terminated_before
        found = of_kind(self.messages, TerminationTakenBack)
        here = [m for m in found if before is not None and m.body.tahap == before.body.cycle]
        return here[-1] if here else None

    @property
    def entitled(self) -> Published[PaymentEntitled] | None:
        """The latest entitlement of this tahap; a supplementary one stands for a deferred one."""
        deferred = {message.body.payment for message in self.here(PaymentDeferred)}
        found = [
            message
            for message in self.here(PaymentEntitled)
            if message.body.payment not in deferred
        ]
        return found[-1] if found else None

    @property
    def deferred(self) -> Published[PaymentDeferred] | None:
        """That the family was left out of this tahap's list by name."""
        found = self.here(PaymentDeferred)
        return found[-1] if found else None

    @property
    def evaluated(self) -> Published[CycleEvaluated] | None:
        """The cycle as it was judged then: its last revision before a correction took effect."""
        corrected = [message.position for message in self.here(CorrectionApproved)]
        before = min(corrected, default=None)
        found = [
            message
            for message in self.here(CycleEvaluated)
            if before is None or message.position < before
        ]
        return max(found, key=lambda message: message.body.revision, default=None)


def _reopened(messages: Iterable[Published[Any]], tahap: str) -> Published[FamilyReopened] | None:
    return next(
        (message for message in of_kind(messages, FamilyReopened) if message.body.tahap == tahap),
        None,
    )


def _household(messages: tuple[Published[Any], ...], horizon: Known, tahap: str) -> Household:
    """The facts that the family's line rests on: the list's, or those that re-opened it."""
    reopened = _reopened(messages, tahap)
    if reopened is None:
        return Household.at(messages, horizon)
    reported = [
        late.reported_on
        for proposal in of_kind(messages, ReopeningProposed)
        if proposal.body.reopening == reopened.body.reopening
        for late in proposal.body.late
        if late.reported_on is not None
    ]
    last_day = max([horizon.closing_date, *reported])
    return Household.at(messages, replace(horizon, cut=reopened.position), last_day)


def _standing(messages: tuple[Published[Any], ...]) -> tuple[Published[Any], ...]:
    """The messages but those that a cancelled tahap has made void, and what says so."""
    taken_back = [message for message in messages if isinstance(message.body, TAKEN_BACK)]
    void = {(back.service, _tahap(back)): back.position for back in taken_back}
    return tuple(
        message
        for message in messages
        if message.position > void.get((message.service, _tahap(message)), -1)
    )


def _position(message: Published[Any]) -> tuple[str, int]:
    return message.service, message.position


def _tahap(message: Published[Any]) -> str | None:
    tahap: str | None = getattr(message.body, "tahap", None)
    return tahap
