"""Composes the explanation of one family in one tahap from its steps."""

from __future__ import annotations

from typing import Final

from services.projection.explanation.answer import Explanation, ExplanationStep, Text
from services.projection.explanation.belonging import absence, eligibility, graduation
from services.projection.explanation.cancelling import cancelled
from services.projection.explanation.counting import counted, known_facts, payee
from services.projection.explanation.cutting import cut, cut_of
from services.projection.explanation.deferring import deferred, held
from services.projection.explanation.household import reference
from services.projection.explanation.keeping import commitment
from services.projection.explanation.later import moved, since
from services.projection.explanation.messages import PaymentEntitled, Published
from services.projection.explanation.paying import frozen, paid
from services.projection.explanation.reopening import reopening, waiting
from services.projection.explanation.story import Story
from services.projection.explanation.words import rupiah

DEFERRED: Final = "DEFERRED"
PENDING: Final = "PENDING"
CANCELLED: Final = "CANCELLED"

DISPOSITIONS: Final = {
    "PAID": Text("was paid", "telah dibayarkan"),
    "BLOCKED": Text("was credited and blocked", "telah dikreditkan dan diblokir"),
    "TRANSFER_FAILED": Text("could not be credited", "gagal dikreditkan"),
    "ACCOUNT_FAILED": Text(
        "was not ordered: the account check failed", "tidak diperintahkan: cek rekening gagal"
    ),
    "NO_VALID_PAYEE": Text(
        "was not paid: there is no valid payee", "tidak dibayarkan: tidak ada pengurus yang sah"
    ),
    "WITHHELD": Text("is withheld", "ditahan"),
    "PENDING": Text("is on its way", "sedang diproses"),
    "DEFERRED": Text("is left to a supplementary run", "menunggu penyaluran susulan"),
    "GRADUATED_NATURAL": Text(
        "is none: the family graduated", "tidak ada: keluarga graduasi alamiah"
    ),
    "GRADUATION_PENDING": Text(
        "is none for now: nobody held a category, and the family waits before it graduates",
        "belum ada: tidak ada komponen, dan keluarga menunggu sebelum graduasi",
    ),
    "REOPENED": Text(
        "is owed and waits for a supplementary run", "terutang dan menunggu penyaluran susulan"
    ),
    "INELIGIBLE": Text("is none: the family is ineligible", "tidak ada: tidak memenuhi syarat"),
    "ON_HOLD": Text("is none: the family is on hold", "tidak ada: keluarga ditangguhkan"),
    "GRADUATED_EARLIER": Text(
        "is none: the family graduated earlier", "tidak ada: keluarga sudah graduasi"
    ),
    "TERMINATED_EARLIER": Text(
        "is none: the family was terminated earlier", "tidak ada: kepesertaan sudah dihentikan"
    ),
    "REGISTERED_LATER": Text(
        "is none: the family was registered later", "tidak ada: keluarga terdaftar kemudian"
    ),
    "CANCELLED": Text("is none: the tahap is cancelled", "tidak ada: tahap dibatalkan"),
    "NOT_LISTED_YET": Text("is not known yet", "belum diketahui"),
}
ENDINGS: Final = {
    "TERMINATED": Text(
        "the investigation ended the family's participation", "penyelidikan mengakhiri kepesertaan"
    ),
    "CLEARED": Text("the investigation cleared the family", "penyelidikan membebaskan keluarga"),
    "INVESTIGATION": Text("an investigation is open", "penyelidikan sedang berjalan"),
}


def explain(story: Story) -> Explanation:
    """Why the family got this amount and this disposition, as it was known then."""
    entitled = story.entitled
    if story.cancelled:
        return _explanation(story, CANCELLED, 0, eligibility(story))
    if entitled is not None:
        disposition, steps = story.disposition or PENDING, _listed(story, entitled)
        return _explanation(story, disposition, entitled.body.amount, steps)
    disposition, steps = _unpaid(story)
    return _explanation(story, disposition, 0, steps)


def _listed(story: Story, entitled: Published[PaymentEntitled]) -> list[ExplanationStep]:
    return [
        *eligibility(story),
        *known_facts(story),
        *waiting(story),
        *reopening(story),
        *counted(story, entitled),
        *payee(story, entitled),
        *commitment(story),
        *cut(story, entitled),
        *(deferred(story) if story.deferred else []),
        *frozen(story),
        *paid(story, entitled),
        *moved(story),
        *since(story),
    ]


def _unpaid(story: Story) -> tuple[str, list[ExplanationStep]]:
    """A family without an entitlement: graduated now, deferred, on its way, or not in it."""
    if story.pending is not None or story.reopened is not None:
        steps = [*eligibility(story), *known_facts(story), *waiting(story), *reopening(story)]
        disposition = "GRADUATION_PENDING" if story.reopened is None else "REOPENED"
        return disposition, [*steps, *commitment(story), *moved(story)]
    if story.disposition is not None and story.graduated is not None:
        steps = [*eligibility(story), *known_facts(story), *graduation(story), *reopening(story)]
        return story.disposition, [*steps, *frozen(story), *moved(story)]
    if story.deferred is not None:
        steps = [*eligibility(story), *known_facts(story), *commitment(story), *deferred(story)]
        return DEFERRED, [*steps, *frozen(story)]
    if story.evaluated is not None:
        return PENDING, [*eligibility(story), *known_facts(story), *commitment(story), *held(story)]
    disposition, step = absence(story)
    return disposition, [step]


def overridden(story: Story) -> list[ExplanationStep]:
    """The step that a person let the tahap be paid by a table whose source nobody has verified."""
    override = story.announced.body.override
    if override is None:
        return []
    text = Text(
        f"The benefit table {override.table} has no verified source; {override.by} let this tahap "
        f"be paid by it: {override.reason}",
        f"Tabel indeks bantuan {override.table} belum memiliki sumber yang diverifikasi; "
        f"{override.by} menetapkan tahap ini dibayar menurut tabel itu: {override.reason}",
    )
    return [ExplanationStep("OVERRIDE", text, (reference(story.announced),))]


def _explanation(
    story: Story, disposition: str, amount: int, steps: list[ExplanationStep]
) -> Explanation:
    region = story.household.region()
    where = story.entitled.body.region if story.entitled else region.value if region else ""
    return Explanation(
        family=story.family,
        tahap=story.tahap,
        disposition=disposition,
        amount=amount,
        region=where,
        known=story.horizon,
        text=_sentence(story.tahap, disposition, amount, cut_of(story)),
        steps=(*overridden(story), *cancelled(story), *steps),
        cut=cut_of(story),
    )


def _sentence(tahap: str, disposition: str, amount: int, cut_rupiah: int) -> Text:
    name, _, ending = disposition.partition("+")
    worth = rupiah(amount - cut_rupiah)
    how = DISPOSITIONS.get(name, Text(f"is {name}", name))
    what = (
        Text(f"The {worth.en}", f"Bantuan {worth.id}") if amount else Text("The amount", "Bantuan")
    )
    end = ENDINGS.get(ending)
    more = Text(f"; {end.en}", f"; {end.id}") if end else Text("", "")
    less = Text("", "")
    if cut_rupiah:
        whole, off = rupiah(amount), rupiah(cut_rupiah)
        less = Text(f" ({whole.en} less a cut of {off.en})", f" ({whole.id} dipotong {off.id})")
    return Text(
        f"{what.en} of tahap {tahap}{less.en} {how.en}{more.en}.",
        f"{what.id} tahap {tahap}{less.id} {how.id}{more.id}.",
    )
