"""A family's place in a tahap: eligible, on hold, graduated, terminated, not listed."""

from __future__ import annotations

from typing import Final

from services.projection.explanation.answer import ExplanationStep, Fact, Text
from services.projection.explanation.facts import FamilyRegistered
from services.projection.explanation.household import of_kind, reference
from services.projection.explanation.messages import InvestigationOpened, Published, Terminated
from services.projection.explanation.story import Story
from services.projection.explanation.words import day

INELIGIBLE: Final = "INELIGIBLE"
ON_HOLD: Final = "ON_HOLD"
GRADUATED_EARLIER: Final = "GRADUATED_EARLIER"
TERMINATED_EARLIER: Final = "TERMINATED_EARLIER"
REGISTERED_LATER: Final = "REGISTERED_LATER"
NOT_LISTED_YET: Final = "NOT_LISTED_YET"

REASONS: Final = {
    "NOT_IN_DTKS": Text(
        "the family was not in the integrated social data",
        "keluarga tidak tercatat dalam DTKS",
    ),
    "EXCLUDED_OCCUPATION": Text(
        "a living member had an excluded occupation",
        "ada anggota hidup dengan pekerjaan yang dikecualikan",
    ),
    "INVALID_NIK": Text(
        "a living member's NIK did not have 16 digits",
        "ada anggota hidup dengan NIK yang bukan 16 angka",
    ),
    "DUPLICATE_NIK": Text(
        "a member's NIK also stood in another family",
        "ada NIK anggota yang juga tercatat pada keluarga lain",
    ),
    "NO_COMPONENT": Text(
        "nobody in the family held a category", "tidak ada anggota yang memenuhi komponen"
    ),
}


def eligibility(story: Story) -> list[ExplanationStep]:
    """The family's judgement, which holds from then on."""
    designated = story.designated
    if designated is None:
        return []
    judged = designated.body
    at, clauses = (reference(designated),), story.clauses.eligibility(judged.reason)
    if judged.status == "ELIGIBLE":
        text = Text(
            f"The family was found eligible at the closing of tahap {judged.tahap}.",
            f"Keluarga dinyatakan memenuhi syarat pada penutupan tahap {judged.tahap}.",
        )
        return [ExplanationStep("ELIGIBILITY", text, at)]
    why = REASONS.get(judged.reason, Text(judged.reason, judged.reason))
    verdict = VERDICTS.get(judged.status, Text(judged.status, judged.status))
    text = Text(
        f"At the closing of tahap {judged.tahap} the family was {verdict.en}: {why.en}. "
        "That holds from then on.",
        f"Pada penutupan tahap {judged.tahap} keluarga {verdict.id}: {why.id}. "
        "Keputusan itu berlaku seterusnya.",
    )
    # What was known at another closing is shown by the explanation of that tahap.
    facts = _grounds(story, judged.reason) if judged.tahap == story.tahap else ()
    return [ExplanationStep("ELIGIBILITY", text, at, facts, clauses, amount=0)]


VERDICTS: Final = {
    "INELIGIBLE": Text("found ineligible", "dinyatakan tidak memenuhi syarat"),
    "HOLD": Text("put on hold until somebody decides", "ditangguhkan sampai ada keputusan"),
}


def _grounds(story: Story, reason: str) -> tuple[Fact, ...]:
    """The facts behind a ground; occupations and numbers are the registry's alone to show."""
    household = story.household
    if reason == "NOT_IN_DTKS" and household.registered:
        return (household.registered,)
    if reason == "NO_COMPONENT":
        return members(story)
    return ()


def members(story: Story) -> tuple[Fact, ...]:
    """Births, schools entered or left, deaths: all there is where nobody holds a category."""
    household = story.household
    facts: list[Fact | None] = []
    for member, birth in sorted(household.births().items()):
        school = household.school(member)
        settled = school is not None and (school.value or school.effective_on)
        facts += [birth, school if settled else None, household.death(member)]
    return tuple(fact for fact in facts if fact is not None)


def graduation(story: Story) -> list[ExplanationStep]:
    """That with this tahap nobody held a category any more."""
    graduated = story.graduated
    if graduated is None:
        return []
    text = Text(
        f"At the closing of tahap {graduated.body.tahap} nobody in the family held a category: "
        "it graduated, and nothing is paid.",
        f"Pada penutupan tahap {graduated.body.tahap} tidak ada anggota yang memenuhi komponen: "
        "keluarga graduasi alamiah, dan tidak ada bantuan.",
    )
    clauses = story.clauses.graduation()
    facts = members(story) if graduated.body.tahap == story.tahap else ()
    return [ExplanationStep("GRADUATED", text, (reference(graduated),), facts, clauses, amount=0)]


def absence(story: Story) -> tuple[str, ExplanationStep]:
    """Why the family has no row in this tahap: (disposition, step)."""
    if story.designated is not None and story.designated.body.status != "ELIGIBLE":
        [step] = eligibility(story)
        held = story.designated.body.status == "HOLD"
        return (ON_HOLD if held else INELIGIBLE), step
    if story.graduated is not None:
        [step] = graduation(story)
        return GRADUATED_EARLIER, step
    if story.terminated_before is not None:
        return TERMINATED_EARLIER, _terminated(story, story.terminated_before)
    return _not_listed(story)


def _terminated(story: Story, terminated: Published[Terminated]) -> ExplanationStep:
    body = terminated.body
    opened = [
        reference(message)
        for message in of_kind(story.messages, InvestigationOpened)
        if message.body.tahap == body.investigation
    ]
    text = Text(
        f"The family's participation ended with tahap {body.cycle}: the investigation that opened "
        f"at tahap {body.investigation} was confirmed by {body.maker} and {body.checker}.",
        f"Kepesertaan keluarga berakhir dengan tahap {body.cycle}: penyelidikan yang dibuka "
        f"pada tahap {body.investigation} dikonfirmasi oleh {body.maker} dan {body.checker}.",
    )
    because = [*opened, reference(terminated)]
    if (back := story.taken_back) is not None:
        because.append(reference(back))
        text = Text(
            f"{text.en} Case {back.body.case} had that taken back later, by {back.body.checker}: "
            "lists that were closed by then are not changed.",
            f"{text.id} Kemudian dibatalkan atas pengaduan {back.body.case} oleh "
            f"{back.body.checker}: daftar yang sudah ditutup tidak berubah.",
        )
    clauses = story.clauses.sanction()
    return ExplanationStep("ABSENT", text, tuple(because), (), clauses, amount=0)


def _not_listed(story: Story) -> tuple[str, ExplanationStep]:
    cut, closing = story.horizon.cut, day(story.horizon.closing_date)
    registered = next(of_kind(story.messages, FamilyRegistered), None)
    if cut is not None and registered is not None and registered.position > cut:
        text = Text(
            f"The family entered the register after the list of tahap {story.tahap} was made "
            f"(what was stored at position {cut:,} of the registry).",
            f"Keluarga masuk daftar setelah daftar tahap {story.tahap} dibuat "
            f"(yang tersimpan sampai posisi {cut} pada registry).",
        )
        return REGISTERED_LATER, ExplanationStep("ABSENT", text, (reference(registered),), amount=0)
    text = Text(
        f"Tahap {story.tahap} closes on {closing.en}; its list does not hold the family yet.",
        f"Tahap {story.tahap} ditutup pada {closing.id}; daftarnya belum memuat keluarga ini.",
    )
    return NOT_LISTED_YET, ExplanationStep("ABSENT", text, (reference(story.announced),), amount=0)
