"""The clauses of a tahap: what each service announced its rules to be, with their legal sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from services.projection.explanation.answer import Clause, Source, Text
from services.projection.explanation.household import of_kind
from services.projection.explanation.messages import Published
from services.projection.explanation.tahap_messages import (
    Benefit,
    ClosingAnnounced,
    EvaluationAnnounced,
    ListingStarted,
    Rules,
    Terms,
)
from services.projection.explanation.words import CATEGORIES, SERVICES, named, rupiah

SCHOOLS: Final = frozenset({"SD", "SMP", "SMA"})


@dataclass(frozen=True, slots=True)
class Clauses:
    """The rules that a tahap went by, each of them None where nobody announced it."""

    rule_set: str
    benefit: Benefit | None
    rules: Rules | None
    terms: Terms | None

    @classmethod
    def of(cls, messages: Iterable[Published[Any]], announced: ClosingAnnounced) -> Clauses:
        """The terms announced for a tahap; of several lists the latest counts."""
        messages = tuple(messages)
        lists = [message.body for message in of_kind(messages, ListingStarted)]
        judged = [message.body for message in of_kind(messages, EvaluationAnnounced)]
        latest = max(lists, key=lambda listing: listing.revision, default=None)
        return cls(
            rule_set=announced.policies.get("rule_set", ""),
            benefit=announced.benefit,
            rules=latest.rules if latest else None,
            terms=judged[-1].terms if judged else None,
        )

    # -- Registry's --------------------------------------------------------------------------------

    def category(self, category: str) -> tuple[Clause, ...]:
        """Who holds a category."""
        rules = self.rules
        if rules is None:
            return ()
        text, keys = _held(category, rules)
        return (self._rule(f"category.{category}", text, *keys),)

    def payee(self) -> tuple[Clause, ...]:
        """Who may receive a family's money."""
        if self.rules is None:
            return ()
        years = self.rules.payee_from_years
        text = Text(
            f"The payee is a living member of the family, aged {years} or over at the closing.",
            f"Pengurus adalah anggota keluarga yang hidup, berusia {years} tahun atau lebih "
            "pada penutupan.",
        )
        return (self._rule("payee", text, "payee_from_years"),)

    def eligibility(self, reason: str) -> tuple[Clause, ...]:
        """Why a family may not take part; nothing where there is no ground."""
        if self.rules is None or reason not in GROUNDS:
            return ()
        text, keys = GROUNDS[reason]
        return (self._rule(f"eligibility.{reason}", text, *keys),)

    def graduation(self) -> tuple[Clause, ...]:
        """When a family leaves because nobody holds a category."""
        text = Text(
            "A family in which nobody holds a category at a closing leaves the programme.",
            "Keluarga tanpa anggota yang memenuhi komponen pada penutupan keluar dari program.",
        )
        return (self._rule("graduation", text, *COMPONENT_KEYS),) if self.rules else ()

    def graduation_term(self) -> tuple[Clause, ...]:
        """The term that a family without a category waits before it leaves."""
        if self.rules is None:
            return ()
        days = self.rules.natural_graduation_term_days
        text = Text(
            f"A family without a category waits {days} days before it leaves; a fact that is "
            "reported within that time may re-open the tahap.",
            f"Keluarga tanpa komponen menunggu {days} hari sebelum keluar; fakta yang dilaporkan "
            "dalam waktu itu dapat membuka kembali tahap tersebut.",
        )
        return (self._rule("graduation.term", text, "natural_graduation_term_days"),)

    def _rule(self, name: str, text: Text, *keys: str) -> Clause:
        references = self.rules.references if self.rules else ()
        sources = tuple(
            Source(reference.title, href=reference.href)
            for reference in references
            if not set(keys).isdisjoint(reference.covers)
        )
        return Clause(name, self.rule_set, text, sources)

    # -- Payments' ---------------------------------------------------------------------------------

    def amount(self, category: str) -> tuple[Clause, ...]:
        """The worth of a category."""
        if self.benefit is None or category not in self.benefit.amounts:
            return ()
        worth = rupiah(self.benefit.amounts[category])
        name = named(CATEGORIES, category)
        text = Text(
            f"{worth.en} a tahap for a member who counts as {name.en}.",
            f"{worth.id} per tahap untuk anggota yang dihitung sebagai {name.id}.",
        )
        return (self._benefit(f"benefit.{category}", text),)

    def counting(self) -> tuple[Clause, ...]:
        """The members who count, by number, and for what."""
        if self.benefit is None:
            return ()
        most = self.benefit.members_max
        text = Text(
            "A member counts once, for the category worth most; "
            f"at most {most} members of a family count, those worth most.",
            "Setiap anggota dihitung satu kali, untuk komponen dengan nilai tertinggi; "
            f"paling banyak {most} anggota keluarga dihitung, yang nilainya tertinggi.",
        )
        return (self._benefit("benefit.members_max", text),)

    def _benefit(self, name: str, text: Text) -> Clause:
        references = self.benefit.references if self.benefit else ()
        sources = tuple(Source(reference.title, reference.note) for reference in references)
        return Clause(name, self.benefit.id if self.benefit else "", text, sources)

    # -- Conditionality's --------------------------------------------------------------------------

    def duty(self, category: str, *, monthly: bool) -> tuple[Clause, ...]:
        """The duty of a member of a category: in every month, or once in the cycle."""
        if self.terms is None:
            return ()
        if category in SCHOOLS:
            return (self._term("ATTENDANCE", f"duty.{category}", _attendance(self.terms)),)
        service = named(SERVICES, self.terms.services.get(category, category))
        if monthly:
            text = Text(
                f"Attends {service.en} in every month.", f"Mengikuti {service.id} setiap bulan."
            )
        else:
            text = Text(
                f"Attends {service.en} at least once in the months of the cycle.",
                f"Mengikuti {service.id} paling sedikit satu kali dalam bulan-bulan siklus.",
            )
        return (self._term("DUTIES", f"duty.{category}", text),)

    def sanction(self) -> tuple[Clause, ...]:
        """The cost of a failed cycle."""
        if self.terms is None or self.terms.failures_to_investigation is None:
            return ()
        failures, percent = self.terms.failures_to_investigation, self.terms.cut_percent
        if percent is not None:
            text = Text(
                f"A failed cycle's benefit is cut by {percent} % of the family's amount; nothing "
                "is held, and nothing of it is given back later; the failure number "
                f"{failures} in a row opens an investigation.",
                f"Bantuan dari siklus yang gagal dipotong {percent} % dari jumlah keluarga; tidak "
                "ada yang ditahan, dan potongan tidak dikembalikan; kegagalan "
                f"ke-{failures} berturut-turut membuka penyelidikan.",
            )
            return (self._term("SANCTION", "sanction", text),)
        text = Text(
            "A failed cycle's money is credited and blocked until a cycle is compliant; "
            f"the failure number {failures} in a row opens an investigation.",
            "Bantuan dari siklus yang gagal disalurkan tetapi diblokir sampai ada siklus yang "
            f"patuh; kegagalan ke-{failures} berturut-turut membuka penyelidikan.",
        )
        return (self._term("SANCTION", "sanction", text),)

    def _term(self, of: str, name: str, text: Text) -> Clause:
        sources = self.terms.sources if self.terms else ()
        cited = tuple(Source(source.title, source.note) for source in sources if source.of == of)
        return Clause(name, self.rule_set, text, cited)


COMPONENT_KEYS: Final = (
    "pregnancy_order_max",
    "early_child_below_years",
    "school_from_years",
    "school_to_years",
    "elderly_from_years",
)
GROUNDS: Final[dict[str, tuple[Text, tuple[str, ...]]]] = {
    "NOT_IN_DTKS": (
        Text(
            "Only families of the integrated social data (DTKS) take part.",
            "Hanya keluarga dalam Data Terpadu Kesejahteraan Sosial (DTKS) yang dapat ikut serta.",
        ),
        (),
    ),
    "EXCLUDED_OCCUPATION": (
        Text(
            "A family with a living member in an excluded occupation does not take part.",
            "Keluarga dengan anggota hidup yang pekerjaannya dikecualikan tidak dapat ikut serta.",
        ),
        ("excluded_occupations",),
    ),
    "INVALID_NIK": (
        Text(
            "A family with a living member whose NIK is not 16 digits is on hold.",
            "Keluarga dengan anggota hidup yang NIK-nya bukan 16 angka ditangguhkan.",
        ),
        (),
    ),
    "DUPLICATE_NIK": (
        Text(
            "A family of which a NIK also stands in another family is on hold.",
            "Keluarga yang NIK-nya juga tercatat pada keluarga lain ditangguhkan.",
        ),
        (),
    ),
    "NO_COMPONENT": (
        Text(
            "A family in which nobody holds a category does not take part.",
            "Keluarga tanpa anggota yang memenuhi komponen tidak dapat ikut serta.",
        ),
        COMPONENT_KEYS,
    ),
}


def _held(category: str, rules: Rules) -> tuple[Text, tuple[str, ...]]:
    """The words of a category's rule, and the keys under which its sources stand."""
    if category == "EARLY_CHILD":
        below = rules.early_child_below_years
        return Text(
            f"Under {below} years and not enrolled in school.",
            f"Di bawah {below} tahun dan tidak bersekolah.",
        ), ("early_child_below_years",)
    if category == "ELDERLY":
        years = rules.elderly_from_years
        return Text(f"Aged {years} or over.", f"Berusia {years} tahun atau lebih."), (
            "elderly_from_years",
        )
    if category == "PREGNANT":
        return _pregnant(rules)
    if category in SCHOOLS:
        ages = f"{rules.school_from_years}-{rules.school_to_years}"
        return Text(
            f"Enrolled at {category}, aged {ages}.", f"Terdaftar di {category}, berusia {ages}."
        ), ("school_from_years", "school_to_years")
    name = named(CATEGORIES, category)
    return Text(f"Holds the category {name.en}.", f"Memenuhi komponen {name.id}."), ()


def _pregnant(rules: Rules) -> tuple[Text, tuple[str, ...]]:
    before, after, most = (
        rules.pregnancy_days_before,
        rules.pregnancy_days_after,
        rules.pregnancy_order_max,
    )
    counted = Text(f", pregnancies 1 to {most}", f", kehamilan ke-1 sampai ke-{most}")
    which = counted if most is not None else Text("", "")
    return Text(
        f"From {before} days before the due date to {after} days after it{which.en}.",
        f"Dari {before} hari sebelum sampai {after} hari sesudah perkiraan lahir{which.id}.",
    ), ("pregnancy_days_before", "pregnancy_days_after", "pregnancy_order_max")


def _attendance(terms: Terms) -> Text:
    least = terms.attendance_percent_min
    return Text(
        f"At school on at least {least} % of the month's days; "
        "sickness does not count against the pupil.",
        f"Hadir di sekolah paling sedikit {least} % dari hari efektif sebulan; "
        "sakit tidak dihitung sebagai ketidakhadiran.",
    )
