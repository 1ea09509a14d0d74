"""The cut of an entitlement: by how much, on which evaluation it rests, and by which rule."""

from __future__ import annotations

from services.projection.explanation.answer import ExplanationStep, Reference, Text
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import (
    CycleEvaluated,
    PaymentEntitled,
    PaymentInstructed,
    Published,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import rupiah


def cut_of(story: Story) -> int:
    """The rupiah of the entitlement that are not paid: those of a payment in the order, else 0."""
    message = story.entitled
    if message is None or message.body.cut == 0:
        return 0
    ordered = {instructed.body.payment for instructed in of_kind(story.messages, PaymentInstructed)}
    return message.body.cut if message.body.payment in ordered else 0


def cut(story: Story, message: Published[PaymentEntitled]) -> list[ExplanationStep]:
    """The arithmetic of the cut; nothing where nothing was ordered, so nothing was cut of it."""
    body, rupiah_cut = message.body, cut_of(story)
    if rupiah_cut == 0:
        return []
    whole, off, left = rupiah(body.amount), rupiah(rupiah_cut), rupiah(body.amount - rupiah_cut)
    text = Text(
        f"{body.cut_percent} % of {whole.en} is cut because the cycle failed (revision "
        f"{body.evaluation} of its evaluation): {whole.en} - {off.en} = {left.en}.",
        f"{body.cut_percent} % dari {whole.id} dipotong karena siklus gagal (revisi "
        f"{body.evaluation} dari evaluasinya): {whole.id} - {off.id} = {left.id}.",
    )
    at = (reference(message), *_evaluation(story, body.evaluation))
    clauses = story.clauses.sanction()
    return [ExplanationStep("CUT", text, at, (), clauses, amount=body.amount - rupiah_cut)]


def _evaluation(story: Story, revision: int) -> list[Reference]:
    return [
        reference(message)
        for message in story.here(CycleEvaluated)
        if message.body.revision == revision
    ]
