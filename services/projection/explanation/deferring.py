"""Deferral: a family was left to a supplementary run, and the hold of two people behind it."""

from __future__ import annotations

from typing import Final

from services.projection.explanation.answer import ExplanationStep, Text
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import (
    AdministrativeHoldEnded,
    AdministrativeHoldPlaced,
    PaymentEntitled,
    Published,
)
from services.projection.explanation.story import Story
from services.projection.explanation.tahap_messages import UnansweredDeferred
from services.projection.explanation.words import day

UNANSWERED: Final = "ACCOUNT_CHECK_UNANSWERED"


def deferred(story: Story) -> list[ExplanationStep]:
    """The step that the family is not paid by the run of its list, by name, and why it is held."""
    message = story.deferred
    if message is None:
        return []
    reason, run = message.body.reason, message.body.kind
    text = Text(
        f"The list was frozen without the family ({reason}); a supplementary run may pay it.",
        f"Daftar dibekukan tanpa keluarga ini ({reason}); penyaluran susulan dapat membayarnya.",
    )
    if any(
        entitled.body.payment == message.body.payment for entitled in story.here(PaymentEntitled)
    ):
        text = Text(
            f"The family left the run {run} before its bank's file was sent ({reason}); a "
            "supplementary run may pay it.",
            f"Keluarga ini dikeluarkan dari penyaluran {run} sebelum berkas bank dikirim "
            f"({reason}); penyaluran susulan dapat membayarnya.",
        )
    decided = story.documents(UnansweredDeferred, run) if reason == UNANSWERED else []
    if decided:
        people = decided[-1].body
        text = Text(
            f"The treasury said neither yes nor no of the family's account; {people.maker} "
            f"proposed and {people.checker} decided that the run {run} goes on without it. A "
            "supplementary run may pay it.",
            f"Kas Negara tidak menjawab cek rekening keluarga ini; {people.maker} mengusulkan dan "
            f"{people.checker} memutuskan penyaluran {run} berlanjut tanpa keluarga ini. "
            "Penyaluran susulan dapat membayarnya.",
        )
    at = (reference(message), *(reference(decision) for decision in decided))
    return [ExplanationStep("DEFERRED", text, at, amount=0), *held(story)]


def held(story: Story) -> list[ExplanationStep]:
    """The latest hold that concerns the tahap, and its end where two people ended it."""
    holds = [
        placed
        for placed in of_kind(story.messages, AdministrativeHoldPlaced)
        if placed.body.from_tahap <= story.tahap
    ]
    if not holds:
        return []
    latest = holds[-1]
    ends = [
        ended
        for ended in of_kind(story.messages, AdministrativeHoldEnded)
        if ended.body.number == latest.body.number
    ]
    return [_placed(latest), *(_ended(end) for end in ends[-1:])]


def _placed(message: Published[AdministrativeHoldPlaced]) -> ExplanationStep:
    body = message.body
    until = Text("", "")
    if body.last_day is not None:
        last = day(body.last_day)
        until = Text(f" until {last.en}", f" sampai {last.id}")
    follows = Text("it waits", "menunggu")
    if body.kind == "EXCLUSION":
        follows = Text("it lapses when the tahap is closed", "hapus saat tahap ditutup")
    text = Text(
        f"A maker and a checker hold the family's money{until.en} ({body.reason}): what is not "
        f"sent is kept back, and {follows.en}.",
        f"Pengusul dan penyetuju menahan bantuan keluarga ini{until.id} ({body.reason}): yang "
        f"belum dikirim ditahan dan {follows.id}.",
    )
    return ExplanationStep("ADMINISTRATIVE_HOLD", text, (reference(message),))


def _ended(message: Published[AdministrativeHoldEnded]) -> ExplanationStep:
    text = Text(
        f"A maker and a checker ended the hold ({message.body.reason}).",
        f"Pengusul dan penyetuju mengakhiri penahanan ({message.body.reason}).",
    )
    return ExplanationStep("ADMINISTRATIVE_HOLD", text, (reference(message),))
