"""A closing that found no category: how long the family waits, and what late facts changed."""

from __future__ import annotations

from typing import TypeAlias

from services.projection.explanation.answer import ExplanationStep, Text
from services.projection.explanation.belonging import members
from services.projection.explanation.household import reference
from services.projection.explanation.messages import (
    FamilyReopened,
    Published,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import day

Happening: TypeAlias = ReopeningProposed | ReopeningWithdrawn | ReopeningRejected | FamilyReopened


def waiting(story: Story) -> list[ExplanationStep]:
    """The step that nobody held a category at this closing, and until when the family waits."""
    message = story.pending
    if message is None:
        return []
    since, until = day(message.body.graduates_from), day(message.body.term_ends_on)
    text = Text(
        f"At the closing of tahap {message.body.tahap} nobody in the family held a category. "
        f"It has not left: a closing on {since.en} or later lets it graduate, and a fact reported "
        f"by {until.en} may re-open this tahap. What is blocked stays blocked.",
        f"Pada penutupan tahap {message.body.tahap} tidak ada anggota yang memenuhi komponen. "
        f"Keluarga belum keluar: penutupan pada {since.id} atau sesudahnya berarti graduasi, dan "
        f"fakta yang dilaporkan sampai {until.id} dapat membuka kembali tahap ini. Dana yang "
        "diblokir tetap diblokir.",
    )
    facts = () if story.reopened else members(story)
    clauses = story.clauses.graduation_term()
    return [
        ExplanationStep("GRADUATION_PENDING", text, (reference(message),), facts, clauses, amount=0)
    ]


def reopening(story: Story) -> list[ExplanationStep]:
    """The steps that late facts proposed for this closing, and what was decided on them."""
    happened: list[Published[Happening]] = [
        *story.here(ReopeningProposed),
        *story.here(ReopeningWithdrawn),
        *story.here(ReopeningRejected),
        *story.here(FamilyReopened),
    ]
    happened.sort(key=lambda message: message.position)
    return [
        ExplanationStep("REOPENED", _text(message.body), (reference(message),))
        for message in happened
    ]


def _text(body: Happening) -> Text:
    number = body.reopening
    match body:
        case ReopeningProposed():
            facts = ", ".join(f"{late.fact} ({late.reported_on})" for late in body.late)
            return Text(
                f"Facts that the list did not know would have listed the family (re-opening "
                f"{number}): {facts}.",
                f"Fakta yang tidak diketahui daftar akan memasukkan keluarga (pembukaan kembali "
                f"{number}): {facts}.",
            )
        case ReopeningWithdrawn():
            return Text(
                f"Re-opening {number} was withdrawn: the facts say again that there was no "
                "category.",
                f"Pembukaan kembali {number} ditarik: fakta kembali menunjukkan tidak ada "
                "komponen.",
            )
        case ReopeningRejected():
            return Text(
                f"{body.checker} rejected re-opening {number}: the tahap stays as it was.",
                f"{body.checker} menolak pembukaan kembali {number}: tahap tetap seperti semula.",
            )
        case FamilyReopened():
            return Text(
                f"{body.checker} approved re-opening {number}: the family is back, and a "
                "supplementary run pays what it is owed for this tahap.",
                f"{body.checker} menyetujui pembukaan kembali {number}: keluarga kembali, dan "
                "penyaluran susulan membayar haknya untuk tahap ini.",
            )
