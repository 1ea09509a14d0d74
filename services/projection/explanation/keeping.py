"""The family's commitment: each duty that failed, and what followed of it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.projection.explanation.answer import ExplanationStep, Fact, Text
from services.projection.explanation.appeals import appeals
from services.projection.explanation.counting import behind
from services.projection.explanation.household import Household, of_kind, reference
from services.projection.explanation.messages import (
    Cleared,
    CycleEvaluated,
    Duty,
    Evidence,
    Excused,
    InvestigationOpened,
    InvestigationWithdrawn,
    Published,
    Released,
    Suspended,
    Terminated,
    TerminationTakenBack,
)
from services.projection.explanation.story import Story
from services.projection.explanation.words import (
    CATEGORIES,
    EXCEPTIONS,
    SERVICES,
    joined,
    month,
    named,
)

RESULTS: Final = {
    "COMPLIANT": Text("was kept", "dipatuhi"),
    "FAILED": Text("was not kept", "tidak dipatuhi"),
    "UNVERIFIED": Text("could not be verified", "tidak dapat diverifikasi"),
}


def commitment(story: Story) -> list[ExplanationStep]:
    """The cycle's result, every duty that failed or is unverified, and what followed."""
    cycle = story.evaluated
    if cycle is None:
        return []
    duties = cycle.body.duties
    failed = [duty for duty in duties if duty.outcome == "FAILED"]
    return [
        _result(story, cycle),
        *(_failed(story, cycle, duty) for duty in failed),
        *_unverified(cycle, [duty for duty in duties if duty.outcome == "UNVERIFIED"]),
        *_excused(cycle),
        *_followed(story),
        *appeals(story),
    ]


def _result(story: Story, cycle: Published[CycleEvaluated]) -> ExplanationStep:
    body = cycle.body
    met = sum(duty.outcome == "PASSED" for duty in body.duties)
    outcome = RESULTS.get(body.result, Text(body.result, body.result))
    row = Text(
        f"; failures in a row: {body.counter}", f"; kegagalan berturut-turut: {body.counter}"
    )
    text = Text(
        f"The commitment of the cycle {outcome.en} ({body.result}): "
        f"{met} of {len(body.duties)} duties met{row.en}.",
        f"Komitmen siklus ini {outcome.id} ({body.result}): "
        f"{met} dari {len(body.duties)} kewajiban terpenuhi{row.id}.",
    )
    if body.result == "COMPLIANT" and not body.duties:
        text = Text(
            "Nobody in the family owed a duty in the cycle, which is a kept commitment.",
            "Tidak ada kewajiban bagi keluarga dalam siklus ini; komitmen dianggap dipatuhi.",
        )
    if body.excused and not body.duties:
        text = Text(
            "Every duty of the cycle that was not met is excused: it neither failed nor was kept"
            f"{row.en}.",
            "Semua kewajiban siklus ini yang tidak terpenuhi dikecualikan: tidak gagal dan tidak "
            f"dipatuhi{row.id}.",
        )
    clauses = story.clauses.sanction() if body.result == "FAILED" else ()
    return ExplanationStep("COMMITMENT", text, (reference(cycle),), (), clauses)


# -- Duties ---------------------------------------------------------------------------------------


def _failed(story: Story, cycle: Published[CycleEvaluated], duty: Duty) -> ExplanationStep:
    key = (duty.member, duty.duty, duty.month)
    found = [
        evidence
        for evidence in cycle.body.evidence
        if (evidence.member, evidence.duty, evidence.month) == key
    ]
    facts = behind(_then(story, duty), duty.member, duty.duty)
    if not found:
        name = named(CATEGORIES, duty.duty)
        text = Text(
            f"Member {duty.member} failed a duty as {name.en}: {duty.reason}.",
            f"Anggota {duty.member} tidak memenuhi kewajiban sebagai {name.id}: {duty.reason}.",
        )
    elif found[0].service is None:
        text = _away(found[0], story)
        facts = (*_days(found[0], cycle), *facts)
    else:
        text = _missed(found[0], found[0].service)
        facts = (*_visits(found[0], found[0].service, cycle), *facts)
    clauses = story.clauses.duty(duty.duty, monthly=duty.month is not None)
    return ExplanationStep("DUTY_FAILED", text, (reference(cycle),), facts, clauses, duty.member)


def _then(story: Story, duty: Duty) -> Household:
    """The family as on the last day of the duty's month, known by the closing."""
    if duty.month is None:
        return story.household
    year, number = (int(part) for part in duty.month.split("-"))
    return replace(story.household, on=date(year, number, monthrange(year, number)[1]))


def _away(evidence: Evidence, story: Story) -> Text:
    """Days at school: 17 of 21 days, 80 %, below 85 %. The share is rounded down, so that what
    is below the threshold is never shown as if it had reached it."""
    effective, when = evidence.effective_days, month(evidence.month or "")
    present = effective - evidence.absent - evidence.permitted
    share = max(100 * present // effective, 0) if effective else 0
    terms = story.clauses.terms
    least = Text("", "")
    if terms is not None:
        percent = terms.attendance_percent_min
        least = Text(f", below {percent} %", f", di bawah {percent} %")
    return Text(
        f"Member {evidence.member} was at school on {present} of {effective} days in {when.en} "
        f"({evidence.absent} absent, {evidence.permitted} with leave): {share} %{least.en}.",
        f"Anggota {evidence.member} hadir {present} dari {effective} hari efektif pada {when.id} "
        f"(alpa {evidence.absent}, izin {evidence.permitted}): {share} %{least.id}.",
    )


def _missed(evidence: Evidence, service: str) -> Text:
    name, when = named(SERVICES, service), joined(month(missed) for missed in evidence.missed)
    # Of a duty of the payee, whom the message knows by no number, the member is 0.
    who = Text(f"Member {evidence.member}", f"Anggota {evidence.member}")
    if evidence.member == 0:
        who = Text("The payee", "Pengurus")
    return Text(
        f"{who.en} did not come to {name.en} in {when.en}.",
        f"{who.id} tidak hadir pada {name.id} pada {when.id}.",
    )


def _days(evidence: Evidence, cycle: Published[CycleEvaluated]) -> tuple[Fact, ...]:
    names = ("effective_days", "absent", "permitted", "sick")
    return tuple(
        Fact(f"{evidence.month}.{name}", str(getattr(evidence, name)), *_at(evidence, cycle))
        for name in names
    )


def _visits(evidence: Evidence, service: str, cycle: Published[CycleEvaluated]) -> tuple[Fact, ...]:
    return tuple(
        Fact(f"{missed}.{service}", "N", *_at(evidence, cycle)) for missed in evidence.missed
    )


def _at(evidence: Evidence, cycle: Published[CycleEvaluated]) -> tuple[Any, ...]:
    return reference(cycle), evidence.member


def _unverified(cycle: Published[CycleEvaluated], duties: Sequence[Duty]) -> list[ExplanationStep]:
    """One step for all that nobody reported: it blocks nothing and counts for nothing."""
    if not duties:
        return []
    texts = [_unreported(duty) for duty in duties]
    several = joined(texts)
    text = Text(
        f"Nothing was reported of {several.en}: unverified, which is no failure.",
        f"Tidak ada laporan untuk {several.id}: tidak terverifikasi, bukan kegagalan.",
    )
    facts = tuple(
        Fact(f"{duty.month or 'cycle'}.{duty.duty}", "", reference(cycle), duty.member)
        for duty in duties
    )
    return [ExplanationStep("DUTY_UNVERIFIED", text, (reference(cycle),), facts)]


def _excused(cycle: Published[CycleEvaluated]) -> list[ExplanationStep]:
    """One step for each exception, with the duties that it keeps from counting."""
    by_exception: dict[tuple[str, str], list[Excused]] = {}
    for duty in cycle.body.excused:
        by_exception.setdefault((duty.exception, duty.reason), []).append(duty)
    return [_excused_by(cycle, *named_by, duties) for named_by, duties in by_exception.items()]


def _excused_by(
    cycle: Published[CycleEvaluated], exception: str, reason: str, duties: Sequence[Excused]
) -> ExplanationStep:
    several = joined(_unreported(duty) for duty in duties)
    why = named(EXCEPTIONS, reason)
    text = Text(
        f"Exception {exception} ({why.en}) was approved: {several.en} does not count.",
        f"Pengecualian {exception} ({why.id}) disetujui: {several.id} tidak dihitung.",
    )
    facts = tuple(
        Fact(f"{duty.month or 'cycle'}.{duty.duty}", reason, reference(cycle), duty.member)
        for duty in duties
    )
    return ExplanationStep("DUTY_EXCUSED", text, (reference(cycle),), facts)


def _unreported(duty: Duty | Excused) -> Text:
    when = month(duty.month) if duty.month else Text("the cycle", "siklus ini")
    return Text(
        f"member {duty.member} as {duty.duty} in {when.en}",
        f"anggota {duty.member} sebagai {duty.duty} pada {when.id}",
    )


# -- What followed --------------------------------------------------------------------------------


def _followed(story: Story) -> list[ExplanationStep]:
    steps: list[ExplanationStep] = []
    for suspended in story.here(Suspended):
        text = Text(
            f"What is credited of tahap {story.tahap} is held: failure number "
            f"{suspended.body.counter} in a row.",
            f"Bantuan tahap {story.tahap} yang dikreditkan ditahan: kegagalan "
            f"ke-{suspended.body.counter} berturut-turut.",
        )
        clauses = story.clauses.sanction()
        steps.append(ExplanationStep("SANCTION", text, (reference(suspended),), (), clauses))
    for released in of_kind(story.messages, Released):
        if released.body.cycle == story.tahap:
            tahaps = ", ".join(released.body.tahaps)
            text = Text(
                f"Because of this cycle the money of tahap {tahaps} is held no longer.",
                f"Karena siklus ini bantuan tahap {tahaps} tidak lagi ditahan.",
            )
            clauses = story.clauses.sanction()
            steps.append(ExplanationStep("SANCTION", text, (reference(released),), (), clauses))
    return [*steps, *_investigation(story)]


def _investigation(story: Story) -> list[ExplanationStep]:
    """The investigation that opened at this tahap or ended with it, and how it ended."""
    return [
        ExplanationStep("INVESTIGATION", text, (reference(message),), (), story.clauses.sanction())
        for message in story.messages
        if (text := _of_investigation(message.body, story.tahap)) is not None
    ]


def _of_investigation(body: object, tahap: str) -> Text | None:
    match body:
        case InvestigationOpened() if body.tahap == tahap:
            return Text(
                f"Failure number {body.counter} in a row: an investigation was opened.",
                f"Kegagalan ke-{body.counter} berturut-turut: penyelidikan dibuka.",
            )
        case InvestigationWithdrawn() if body.tahap == tahap:
            return Text(
                f"Tahap {body.cycle} took away the ground of the investigation: withdrawn.",
                f"Tahap {body.cycle} menghapus dasar penyelidikan: dibatalkan.",
            )
        case Terminated() if tahap in (body.investigation, body.cycle):
            return Text(
                f"{body.maker} found the failures confirmed and {body.checker} decided so: the "
                f"family's participation ends with tahap {body.cycle}, and held money goes back "
                "to the treasury.",
                f"{body.maker} menyatakan kegagalan terbukti dan {body.checker} memutuskan: "
                f"kepesertaan berakhir dengan tahap {body.cycle}, dan bantuan yang ditahan "
                "kembali ke Kas Negara.",
            )
        case TerminationTakenBack() if tahap == body.tahap:
            return Text(
                f"Case {body.case} asked for the termination to be taken back, and {body.checker} "
                "decided so: the next list has the family again.",
                f"Pengaduan {body.case} meminta penghentian dibatalkan, dan {body.checker} "
                "memutuskan demikian: daftar berikutnya memuat keluarga ini lagi.",
            )
        case Cleared() if tahap in (body.investigation, body.cycle):
            return Text(
                f"{body.maker} found the failures not confirmed and {body.checker} decided so: "
                "held money is released and the count begins anew.",
                f"{body.maker} menyatakan kegagalan tidak terbukti dan {body.checker} memutuskan: "
                "bantuan yang ditahan dibuka dan hitungan dimulai kembali.",
            )
        case _:
            return None
