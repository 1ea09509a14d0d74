"""Movements because of a tahap, and what became of its own money and judgement since."""

from __future__ import annotations

from typing import Final

from services.projection.explanation.answer import ExplanationStep, Text
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import (
    ArrearOwed,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CycleEvaluated,
    EffectTooLate,
    PaymentReleased,
    PaymentReturned,
    Published,
    ReturnWaits,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import rupiah

RETURNED: Final = {
    "GRADUATED_NATURAL": Text("the family graduated", "keluarga graduasi alamiah"),
    "TERMINATED": Text("the family was terminated", "kepesertaan keluarga dihentikan"),
}


def moved(story: Story) -> list[ExplanationStep]:
    """Rupiah of earlier tahaps, and of this one, that moved because of this tahap, or wait."""
    waits = [m for m in of_kind(story.messages, ReturnWaits) if m.body.at_tahap == story.tahap]
    return [
        *(
            _movement(movement, "MOVED")
            for movement in _movements(story)
            if movement.body.at_tahap == story.tahap
        ),
        *map(_waits, waits),
    ]


def since(story: Story) -> list[ExplanationStep]:
    """The later events of this tahap's own money and of its cycle."""
    own = [
        _movement(movement, "LATER")
        for movement in _movements(story)
        if movement.body.tahap == story.tahap and movement.body.at_tahap != story.tahap
    ]
    waits = [m for m in story.here(ReturnWaits) if m.body.at_tahap != story.tahap]
    return [*map(_waits, waits), *own, *_too_late(story), *_corrections(story), *_arrears(story)]


def _movements(story: Story) -> list[Published[PaymentReleased] | Published[PaymentReturned]]:
    return [*of_kind(story.messages, PaymentReleased), *of_kind(story.messages, PaymentReturned)]


def _movement(
    moved: Published[PaymentReleased] | Published[PaymentReturned], kind: str
) -> ExplanationStep:
    body = moved.body
    worth = rupiah(body.amount)
    if isinstance(body, PaymentReleased):
        text = Text(
            f"{worth.en} of tahap {body.tahap} was released at tahap {body.at_tahap}: "
            "the family may draw it.",
            f"{worth.id} dari tahap {body.tahap} dibuka blokirnya pada tahap {body.at_tahap}: "
            "keluarga dapat mengambilnya.",
        )
    else:
        why = RETURNED.get(body.reason, Text(body.reason, body.reason))
        text = Text(
            f"{worth.en} of tahap {body.tahap} went back to the treasury at tahap "
            f"{body.at_tahap}: {why.en}.",
            f"{worth.id} dari tahap {body.tahap} kembali ke Kas Negara pada tahap "
            f"{body.at_tahap}: {why.id}.",
        )
    at = (reference(moved),)
    return ExplanationStep("MOVED" if kind == "MOVED" else "LATER", text, at, amount=body.amount)


def _waits(waiting: Published[ReturnWaits]) -> ExplanationStep:
    """Blocked money that stays though the family graduated: its case appeals."""
    body = waiting.body
    cases = ", ".join(body.cases)
    text = Text(
        f"The family graduated at tahap {body.at_tahap}; what is blocked of tahap {body.tahap} "
        f"stays in the account all the same, and does not go back to the treasury before the "
        f"appeal of case {cases} has ended.",
        f"Keluarga graduasi pada tahap {body.at_tahap}; bantuan tahap {body.tahap} yang diblokir "
        f"tetap di rekening dan tidak kembali ke Kas Negara sebelum sanggahan {cases} selesai.",
    )
    return ExplanationStep("APPEAL", text, (reference(waiting),))


def _arrears(story: Story) -> list[ExplanationStep]:
    """The arrears of this tahap since a correction, as each decision left them."""
    return [
        ExplanationStep("LATER", _owed(owed.body), (reference(owed),), amount=owed.body.amount)
        for owed in story.here(ArrearOwed)
    ]


def _owed(body: ArrearOwed) -> Text:
    by = Text(f"revision {body.evaluation} of its cycle", f"revisi {body.evaluation} siklusnya")
    if body.case:
        by = Text(f"{by.en} (case {body.case})", f"{by.id} (pengaduan {body.case})")
    if body.amount == 0:
        return Text(
            f"By {by.en} nothing of what was cut is owed any more.",
            f"Menurut {by.id} tidak ada lagi potongan yang terutang.",
        )
    worth = rupiah(body.amount)
    return Text(
        f"{worth.en} of what was cut is owed to the family by {by.en}, which cuts "
        f"{body.cut_percent} %. It is not paid yet: no run pays arrears ({body.reason}).",
        f"{worth.id} dari potongan terutang kepada keluarga menurut {by.id}, yang memotong "
        f"{body.cut_percent} %. Belum dibayar: belum ada penyaluran rapel ({body.reason}).",
    )


def _too_late(story: Story) -> list[ExplanationStep]:
    steps: list[ExplanationStep] = []
    for late in story.here(EffectTooLate):
        body = late.body
        text = Text(
            f"A decision that came later ({body.wanted}) could not move the money any more: "
            f"it stays {body.hold}.",
            f"Keputusan yang datang kemudian ({body.wanted}) tidak dapat lagi memindahkan dana: "
            f"tetap {body.hold}.",
        )
        steps.append(ExplanationStep("LATER", text, (reference(late),)))
    return steps


def _corrections(story: Story) -> list[ExplanationStep]:
    """Late facts that were to change the cycle after its list was frozen, and what was decided."""
    results = {
        proposal.body.correction: proposal.body.result
        for proposal in story.here(CorrectionProposed)
    }
    steps = [
        ExplanationStep("LATER", _proposed(proposal.body), (reference(proposal),))
        for proposal in story.here(CorrectionProposed)
    ]
    for approved in story.here(CorrectionApproved):
        result = results.get(approved.body.correction, "?")
        text = Text(
            f"{approved.body.approver} approved correction {approved.body.correction}: "
            f"the cycle is {result} since.",
            f"{approved.body.approver} menyetujui koreksi {approved.body.correction}: "
            f"sejak itu siklus {result}.",
        )
        behind = [
            reference(evaluated)
            for evaluated in story.here(CycleEvaluated)
            if evaluated.position == approved.position + 1
        ]
        steps.append(ExplanationStep("LATER", text, (reference(approved), *behind)))
    for rejected in story.here(CorrectionRejected):
        text = Text(
            f"{rejected.body.approver} rejected correction {rejected.body.correction}: "
            "the cycle stays as it was.",
            f"{rejected.body.approver} menolak koreksi {rejected.body.correction}: "
            "siklus tetap seperti semula.",
        )
        steps.append(ExplanationStep("LATER", text, (reference(rejected),)))
    return sorted(steps, key=lambda step: step.references[0].position)


def _proposed(body: CorrectionProposed) -> Text:
    cut = Text("", "")
    before, after = body.cut_percent_before, body.cut_percent
    if before != after:
        cut = Text(
            f", and what it cuts {after} % instead of {before} %; the money of the frozen list "
            "stays as it is",
            f", dan potongannya {after} %, bukan {before} %; dana dari daftar yang dibekukan "
            "tidak berubah",
        )
    by = ", ".join(sorted({f"{duty.exception} ({duty.reason})" for duty in body.excused}))
    excused = Text("", "")
    if by:
        excused = Text(f", with duties excused by exception {by}", f", dikecualikan oleh {by}")
    return Text(
        f"Facts that came after the list was frozen would make the cycle {body.result}{cut.en}"
        f"{excused.en} (correction {body.correction}).",
        f"Fakta yang datang setelah daftar dibekukan akan menjadikan siklus {body.result}{cut.id}"
        f"{excused.id} (koreksi {body.correction}).",
    )
