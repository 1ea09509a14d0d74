"""The entitlement of the family: who counted for what, the sum, and who receives it."""

from __future__ import annotations

from typing import Final

from services.projection.explanation.answer import ExplanationStep, Fact, Text
from services.projection.explanation.clauses import SCHOOLS
from services.projection.explanation.household import Household, reference
from services.projection.explanation.messages import (
    Counted,
    NotCounted,
    PaymentEntitled,
    Published,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import CATEGORIES, day, named, rupiah

NOT_COUNTED: Final = {
    "INVALID_NIK": Text("no valid NIK of theirs is known", "NIK yang sah belum diketahui"),
    "DUPLICATE_NIK": Text(
        "another family named this person first, and nobody has decided whose they are",
        "keluarga lain lebih dahulu mencatat orang ini, dan belum ada keputusan",
    ),
    "ADJUDICATED": Text(
        "two people decided that this person counts in another family",
        "dua petugas memutuskan bahwa orang ini dihitung pada keluarga lain",
    ),
}


def known_facts(story: Story) -> list[ExplanationStep]:
    """The facts of the family that could be known at the closing."""
    household, closing = story.household, day(story.horizon.closing_date)
    region, living = household.region(), len(household.living())
    where = region.value if region else "?"
    stored = Text("", "")
    if story.horizon.cut is not None:
        stored = Text(
            f" and stored by position {story.horizon.cut:,} of the registry",
            f" dan tersimpan sampai posisi {story.horizon.cut} pada registry",
        )
    text = Text(
        f"Known by {closing.en}{stored.en}: {living} living members in {where}.",
        f"Diketahui sampai {closing.id}{stored.id}: {living} anggota hidup di {where}.",
    )
    facts = (region,) if region else ()
    return [ExplanationStep("KNOWN", text, (reference(story.announced),), facts)]


def counted(story: Story, entitled: Published[PaymentEntitled]) -> list[ExplanationStep]:
    """A step for each member who counts or does not, for the family's own part, and the sum."""
    uncounted = [_uncounted(story, entitled, member) for member in entitled.body.not_counted]
    steps = [_member(story, entitled, member) for member in entitled.body.counted]
    rest = entitled.body.amount - sum(member.amount for member in entitled.body.counted)
    if rest:
        steps.append(_family_part(story, entitled, rest))
    return [*uncounted, *steps, _sum(story, entitled, [step.amount or 0 for step in steps])]


def _uncounted(
    story: Story, entitled: Published[PaymentEntitled], member: NotCounted
) -> ExplanationStep:
    why = NOT_COUNTED.get(member.reason, Text(member.reason, member.reason))
    text = Text(
        f"Member {member.member} does not count for money: {why.en} ({member.reason}).",
        f"Anggota {member.member} tidak dihitung untuk bantuan: {why.id} ({member.reason}).",
    )
    born = story.household.births().get(member.member)
    facts = (born,) if born else ()
    return ExplanationStep("NOT_COUNTED", text, (reference(entitled),), facts, (), member.member)


def _member(story: Story, entitled: Published[PaymentEntitled], member: Counted) -> ExplanationStep:
    worth, name = rupiah(member.amount), named(CATEGORIES, member.category)
    born = _born(story.household, member.member)
    text = Text(
        f"Member {member.member}{born.en} counts as {name.en}: {worth.en}.",
        f"Anggota {member.member}{born.id} dihitung sebagai {name.id}: {worth.id}.",
    )
    return ExplanationStep(
        "COUNTED",
        text,
        (reference(entitled),),
        behind(story.household, member.member, member.category),
        (*story.clauses.category(member.category), *story.clauses.amount(member.category)),
        member.member,
        member.amount,
    )


def _born(household: Household, member: int) -> Text:
    born = household.births().get(member)
    if born is None:
        return Text("", "")
    return Text(f" (born {born.value})", f" (lahir {born.value})")


def behind(household: Household, member: int, category: str) -> tuple[Fact, ...]:
    """The facts that a member's category rests on, as they were known."""
    born, school = household.births().get(member), household.school(member)
    match category:
        case "SEVERE_DISABILITY":
            facts = [household.disability(member)]
        case "PREGNANT":
            facts = [household.pregnancy(member)]
        case "ELDERLY":
            facts = [born]
        case _ if category in SCHOOLS:
            facts = [school, born]
        case _:
            facts = [born, school]
    return tuple(fact for fact in facts if fact is not None)


def _family_part(
    story: Story, entitled: Published[PaymentEntitled], amount: int
) -> ExplanationStep:
    worth = rupiah(amount)
    text = Text(f"The family's own part: {worth.en}.", f"Bagian tetap keluarga: {worth.id}.")
    clauses = story.clauses.counting()
    return ExplanationStep("FAMILY_PART", text, (reference(entitled),), (), clauses, amount=amount)


def _sum(story: Story, entitled: Published[PaymentEntitled], amounts: list[int]) -> ExplanationStep:
    parts = [rupiah(amount) for amount in amounts]
    total = rupiah(entitled.body.amount)
    en, id_ = " + ".join(p.en for p in parts), " + ".join(p.id for p in parts)
    table = entitled.body.benefit_policy
    text = Text(
        f"{en or 'Nobody counts'} = {total.en}, by the benefit table {table}.",
        f"{id_ or 'Tidak ada yang dihitung'} = {total.id}, menurut tabel indeks bantuan {table}.",
    )
    at = (reference(entitled), reference(story.announced))
    return ExplanationStep(
        "SUM", text, at, (), story.clauses.counting(), amount=entitled.body.amount
    )


# -- The payee ------------------------------------------------------------------------------------


def payee(story: Story, entitled: Published[PaymentEntitled]) -> list[ExplanationStep]:
    """Who receives the money, or why nobody could."""
    at, clauses = (reference(entitled),), story.clauses.payee()
    found = story.household.payee()
    facts: list[Fact] = [found] if found else []
    member = found.member if found else None
    if member is not None and member in story.household.births():
        died = story.household.death(member)
        facts += [story.household.births()[member], *([died] if died else [])]
    text = _receives(story, member) if entitled.body.payee_valid else _nobody(story, member)
    return [ExplanationStep("PAYEE", text, at, tuple(facts), clauses, member)]


def _receives(story: Story, member: int | None) -> Text:
    if member is None or member not in story.household.births():
        return Text("The payee is a valid one.", "Pengurus keluarga sah.")
    born = _born(story.household, member)
    return Text(
        f"Member {member}{born.en} receives the family's money.",
        f"Anggota {member}{born.id} adalah pengurus yang menerima bantuan.",
    )


def _nobody(story: Story, member: int | None) -> Text:
    unpaid = Text("so nothing could be paid", "sehingga bantuan tidak dapat disalurkan")
    household = story.household
    if member is None or member not in household.births():
        why = Text("is no member of the family", "bukan anggota keluarga")
    elif household.death(member) is not None:
        why = Text(f"(member {member}) had died", f"(anggota {member}) telah meninggal")
    else:
        born = _born(household, member)
        why = Text(
            f"is member {member}{born.en}, who was not old enough",
            f"adalah anggota {member}{born.id}, yang belum cukup umur",
        )
    return Text(f"The payee {why.en}, {unpaid.en}.", f"Pengurus {why.id}, {unpaid.id}.")
