"""Appeals of the family's cases against what followed from the cycle, each by its case's id."""

from __future__ import annotations

from typing import Final, TypeAlias

from services.projection.explanation.answer import ExplanationStep, Text
from services.projection.explanation.household import reference
from services.projection.explanation.messages import (
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
    Published,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import named

Happening: TypeAlias = (
    AppealPaused | AppealNotPaused | AppealUpheld | AppealDecisionRefused | AppealEnded
)

AGAINST: Final = {
    "HOLD": Text("the hold of the money", "penahanan bantuan"),
    "CUT": Text("the cut of the benefit", "pemotongan bantuan"),
    "TERMINATION": Text("the end of participation", "penghentian kepesertaan"),
}
OUTCOMES: Final = {
    "UPHELD": Text(
        "was right: the cycle was decided again", "dikabulkan: siklus diputuskan kembali"
    ),
    "REFUSED": Text(
        "was upheld, and the correction of the cycle was not approved: what it was against goes on",
        "dikabulkan, tetapi koreksi siklus tidak disetujui: yang disanggah dilanjutkan",
    ),
    "REJECTED": Text(
        "was rejected: what it was against goes on", "ditolak: yang disanggah dilanjutkan"
    ),
    "WITHDRAWN": Text(
        "was withdrawn: what it was against goes on", "dicabut: yang disanggah dilanjutkan"
    ),
}
REFUSALS: Final = {
    "OUTSIDE_REGIONS": Text(
        "who asked has no part of the country in which the family lives",
        "yang meminta tidak bertugas di wilayah keluarga ini",
    ),
    "ANOTHER_IS_OPEN": Text(
        "another case appeals against it already", "pengaduan lain sudah menyanggahnya"
    ),
    "APPEALED_TOO_OFTEN": Text(
        "it was appealed against as often as the rules let it",
        "sudah disanggah sebanyak yang diizinkan peraturan",
    ),
}
"""Why an appeal, or a decision on it, is none."""


def appeals(story: Story) -> list[ExplanationStep]:
    """The steps of every appeal against this tahap, in the order in which they came."""
    happened: list[Published[Happening]] = [
        *story.here(AppealPaused),
        *story.here(AppealNotPaused),
        *story.here(AppealUpheld),
        *story.here(AppealDecisionRefused),
        *story.here(AppealEnded),
    ]
    happened.sort(key=lambda message: message.position)
    return [
        ExplanationStep("APPEAL", _text(message.body), (reference(message),))
        for message in happened
    ]


def _text(body: Happening) -> Text:
    against = named(AGAINST, body.against)
    match body:
        case AppealPaused():
            return Text(
                f"Case {body.case} appeals against {against.en}: that waits until its end.",
                f"Pengaduan {body.case} menyanggah {against.id}: ditunda sampai selesai.",
            )
        case AppealNotPaused() if body.reason in REFUSALS:
            because = REFUSALS[body.reason]
            return Text(
                f"Case {body.case} appeals against {against.en}; that is refused: {because.en}.",
                f"Pengaduan {body.case} menyanggah {against.id}; tidak diterima: {because.id}.",
            )
        case AppealNotPaused():
            return Text(
                f"Case {body.case} appeals against {against.en}; nothing waits for it "
                f"({body.reason}).",
                f"Pengaduan {body.case} menyanggah {against.id}; tidak ada yang ditunda "
                f"({body.reason}).",
            )
        case AppealUpheld():
            return Text(
                f"The appeal of case {body.case} was upheld: two people decide the cycle again.",
                f"Sanggahan {body.case} dikabulkan: siklus diputuskan kembali oleh dua orang.",
            )
        case AppealDecisionRefused():
            because = named(REFUSALS, body.reason)
            return Text(
                f"A decision on the appeal of case {body.case} is none: {because.en}.",
                f"Keputusan atas sanggahan {body.case} tidak berlaku: {because.id}.",
            )
        case AppealEnded():
            outcome = named(OUTCOMES, body.outcome)
            return Text(
                f"The appeal of case {body.case} {outcome.en}.",
                f"Sanggahan {body.case} {outcome.id}.",
            )
