"""Cancellation: what two people took back of a tahap, why a payment is void, what pays instead."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from services.projection.explanation.answer import ExplanationStep, Text
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import (
    CycleWithdrawn,
    FamilyUnlisted,
    PaymentEntitled,
    PaymentVoided,
    Published,
)
from services.projection.explanation.story import Story
from services.projection.explanation.tahap_messages import ClosingAnnounced, TahapCancelled
from services.projection.explanation.words import joined, rupiah

LINE: Final = Text("its line on the list", "barisnya pada daftar")
CYCLE: Final = Text("the evaluation of its cycle", "penilaian siklusnya")


def cancelled(story: Story) -> list[ExplanationStep]:
    """A step for each announcement of the tahap that two people cancelled, in their order."""
    ends = list(of_kind(story.of_tahap, TahapCancelled))
    behind = [end.position for end in ends[1:]]
    return [_cancelled(story, end, until) for end, until in zip_longest(ends, behind)]


def _cancelled(story: Story, end: Published[TahapCancelled], until: int | None) -> ExplanationStep:
    """The step of one cancellation; `until` is the position of the next one."""
    body = end.body
    lines = [x for x in of_kind(story.void, FamilyUnlisted) if x.body.revision == body.revision]
    # Which announcement a cycle was judged for stands in no message: the last one tells of all.
    cycles = list(of_kind(story.void, CycleWithdrawn)) if until is None else []
    voided = [
        message
        for message in of_kind(story.void, PaymentVoided)
        if message.position > end.position and (until is None or message.position < until)
    ]
    payments = [_void(story, message) for message in voided]
    parts = [*([LINE] if lines else []), *([CYCLE] if cycles else []), *payments]
    what, then = joined(parts), _then(story, body.revision)
    back = Text("", "")
    if parts:
        back = Text(
            f" Taken back of the family: {what.en}.", f" Ditarik kembali dari keluarga: {what.id}."
        )
    text = Text(
        f"{body.maker} proposed and {body.checker} decided to cancel revision {body.revision} of "
        f"the tahap ({body.reason}).{back.en}{then.en}",
        f"{body.maker} mengusulkan dan {body.checker} memutuskan pembatalan revisi "
        f"{body.revision} tahap ini ({body.reason}).{back.id}{then.id}",
    )
    at = [reference(message) for message in (end, *lines, *cycles, *voided)]
    return ExplanationStep("CANCELLED", text, tuple(at))


def _void(story: Story, voided: Published[PaymentVoided]) -> Text:
    """A payment that is void, with what it was to pay."""
    entitled = [
        message.body
        for message in of_kind(story.void, PaymentEntitled)
        if message.body.payment == voided.body.payment and message.position < voided.position
    ]
    worth = rupiah(entitled[-1].amount - entitled[-1].cut) if entitled else Text("?", "?")
    return Text(
        f"its payment of {worth.en}, which is void because no bank had a file yet",
        f"pembayarannya sebesar {worth.id}, yang batal karena belum ada berkas di bank",
    )


def _then(story: Story, revision: int) -> Text:
    """The announcement that takes the place of a cancelled one."""
    later = [x for x in of_kind(story.of_tahap, ClosingAnnounced) if x.body.revision > revision]
    if not later:
        return Text(
            " The tahap is not announced anew: it pays nobody.",
            " Tahap ini belum diumumkan kembali: tidak ada bantuan.",
        )
    anew = min(message.body.revision for message in later)
    return Text(
        f" Revision {anew} is announced in its place, and pays instead.",
        f" Revisi {anew} diumumkan sebagai gantinya, dan menyalurkan bantuannya.",
    )
