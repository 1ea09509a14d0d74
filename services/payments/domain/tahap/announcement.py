"""The announcement of a tahap: checked whole when it is proposed and again when it is approved.

What is announced starts work in every service, so nothing is announced that one of them could not
do, or that would pay a month twice. A proposal starts nothing; a refused one leaves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    AnnouncedAlready,
    AnnouncementRefused,
    NotAfterOtherTahap,
    NothingProposed,
    PositionAheadOfLog,
    RuleSetNotRun,
    StepNotReached,
    UnverifiedBenefit,
)
from services.payments.domain.shared.ids import TAHAP
from services.payments.domain.tahap.messages import (
    AnnouncementProposed,
    ApproveAnnouncement,
    Circumstances,
    ClosingAnnounced,
    Event,
    OtherTahap,
    ProposalWithdrawn,
    ProposeAnnouncement,
    ServiceAnswer,
    Terms,
    WithdrawProposal,
)
from services.payments.domain.tahap.state import TahapState

# Bounds of what can be meant, not of what the law allows: they find slips of the keyboard.
FIRST_YEAR: Final = 2007  # the programme's first
LAST_YEAR: Final = 2100
CLOSING_DAYS_MAX: Final = 120  # from the first day of the last month to the closing
PAYMENT_DAYS_MAX: Final = 180  # from the closing to the credit

MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
MONTHS_A_YEAR: Final = 12

# -- Rules: propose, approve, withdraw


def propose(command: ProposeAnnouncement, state: TahapState) -> Sequence[Event]:
    """Let terms wait for another person's approval; the same terms again are quiet."""
    require_terms(command.terms)
    standing = state.announced or state.upcoming
    if standing is not None:
        if _same_terms(command.terms, standing.terms):
            return []
        raise AnnouncedAlready(tahap=state.tahap, revision=state.revision)
    others = command.circumstances.others
    # Only of a tahap that was cancelled: another earlier one is a slip, or comes too late.
    later = waiting_behind(state.tahap, others) if state.revision else ()
    require_circumstances(command.terms, command.after, command.circumstances, later)
    proposed = AnnouncementProposed(
        tahap=command.terms.tahap,
        revision=state.revision + 1,
        terms=command.terms,
        after=command.after,
        maker=command.maker,
        behind=later,
    )
    return [] if state.proposal == proposed else [proposed]


def approve(command: ApproveAnnouncement, state: TahapState) -> Sequence[Event]:
    """Announce what another person proposed; approving the announced terms again is quiet."""
    proposal = state.proposal
    if not isinstance(proposal, AnnouncementProposed):
        return _approved_before(command, state)
    if state.undoing:
        raise StepNotReached(step="CancellationCompleted")
    require_approval(proposal.maker, proposal.hash, command.checker, command.hash)
    # Nobody makes way whom the two people were not shown.
    others = [other for other in command.circumstances.others if other.tahap in proposal.behind]
    later = waiting_behind(state.tahap, others)
    require_circumstances(proposal.terms, command.after, command.circumstances, later)
    people = proposal.maker, command.checker
    return [announced_on(proposal.terms, proposal.revision, command.after, *people)]


def withdraw(command: WithdrawProposal, state: TahapState) -> Sequence[Event]:
    """Take back what waits for approval; nothing where nothing waits."""
    return [ProposalWithdrawn(state.tahap, command.by)] if state.proposal else []


def announced_on(
    terms: Terms, revision: int, after: Mapping[str, int], maker: str, checker: str
) -> ClosingAnnounced:
    """The announcement of terms that two people have agreed on."""
    return ClosingAnnounced(
        tahap=terms.tahap,
        months=terms.months,
        closing_date=terms.closing_date,
        account_check_date=terms.account_check_date,
        credit_date=terms.credit_date,
        policies=terms.policies,
        after=after,
        benefit=terms.benefit,
        override=terms.override,
        revision=revision,
        maker=maker,
        checker=checker,
    )


def _approved_before(command: ApproveAnnouncement, state: TahapState) -> Sequence[Event]:
    if state.announced is None or state.approved != command.hash:
        raise NothingProposed(tahap=state.tahap)
    require_approval(state.announced.maker, state.approved, command.checker, command.hash)
    return []


def _same_terms(wanted: Terms, announced: Terms) -> bool:
    """Equal, whatever the text of the table says by now: it follows from the policies."""
    return replace(wanted, benefit=announced.benefit) == announced


# -- Terms by themselves


def require_terms(terms: Terms) -> None:
    """Raise `AnnouncementRefused` for terms that no tahap can have."""
    if not TAHAP.fullmatch(terms.tahap):
        raise AnnouncementRefused(field="tahap", why="is not YEAR-NUMBER, such as 2023-1")
    year = terms.tahap[:4]
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise AnnouncementRefused(field="tahap", why=f"is not of {FIRST_YEAR} to {LAST_YEAR}")
    _require_months(terms.months, year)
    _require_dates(terms)
    if "rule_set" not in terms.policies:
        raise AnnouncementRefused(field="policies", why="name no rule set")


def _require_months(months: Sequence[str], year: str) -> None:
    """The months of a tahap follow one another within the year of its name."""
    if not months or not all(MONTH.fullmatch(month) for month in months):
        raise AnnouncementRefused(field="months", why="are not YYYY-MM each, or there is none")
    if any(month[:4] != year for month in months):
        raise AnnouncementRefused(field="months", why=f"are not all of {year}")
    first = int(months[0][5:])
    if [int(month[5:]) for month in months] != list(range(first, first + len(months))):
        raise AnnouncementRefused(field="months", why="do not follow one another without a gap")


def _require_dates(terms: Terms) -> None:
    begins = date.fromisoformat(f"{terms.months[-1]}-01")
    if terms.closing_date < begins:
        raise AnnouncementRefused(field="closing_date", why="is before the last month begins")
    if terms.closing_date > begins + timedelta(days=CLOSING_DAYS_MAX):
        why = f"is more than {CLOSING_DAYS_MAX} days after the last month begins"
        raise AnnouncementRefused(field="closing_date", why=why)
    if terms.account_check_date < terms.closing_date:
        raise AnnouncementRefused(field="account_check_date", why="is before the closing")
    if terms.credit_date < terms.account_check_date:
        raise AnnouncementRefused(field="credit_date", why="is before the account check")
    if terms.credit_date > terms.closing_date + timedelta(days=PAYMENT_DAYS_MAX):
        why = f"is more than {PAYMENT_DAYS_MAX} days after the closing"
        raise AnnouncementRefused(field="credit_date", why=why)


# -- Terms beside what stands


def waiting_behind(tahap: str, others: Collection[OtherTahap]) -> tuple[str, ...]:
    """The later tahaps that can make way for this one, in order."""
    return tuple(sorted(other.tahap for other in others if other.tahap > tahap and other.waits))


def require_circumstances(
    terms: Terms,
    after: Mapping[str, int],
    circumstances: Circumstances,
    behind: Collection[str] = (),
) -> None:
    """Refuse terms that do not fit the other tahaps, those `behind` among them, or that a service
    cannot do."""
    for other in circumstances.others:
        _require_order(terms, other, behind=other.tahap in behind)
    _require_benefit(terms)
    _require_run_everywhere(terms.policies["rule_set"], circumstances.answers)
    _require_reached(after, circumstances.answers)


def _require_order(terms: Terms, other: OtherTahap, *, behind: bool) -> None:
    """A tahap comes after all others but those that are announced anew behind it, by its name and
    by its months: what one holds, a later one releases, and no month is paid twice."""
    shared = sorted(set(terms.months) & set(other.months))
    if shared:
        raise NotAfterOtherTahap(field="months", month=shared[0], other=other.tahap)
    if terms.tahap < other.tahap and not behind:
        raise NotAfterOtherTahap(field="tahap", other=other.tahap)
    first, second = (terms.months, other.months) if behind else (other.months, terms.months)
    if second[0] < first[-1]:
        raise NotAfterOtherTahap(field="months", month=terms.months[0], other=other.tahap)


def _require_benefit(terms: Terms) -> None:
    table, override = terms.benefit, terms.override
    if override is not None and (table is None or override.table != table.id):
        raise AnnouncementRefused(field="override.table", why="is not the table of the rule set")
    if table is not None and not table.verified and override is None:
        raise UnverifiedBenefit(table=table.id)


def _require_run_everywhere(rule_set: str, answers: Collection[ServiceAnswer]) -> None:
    for answer in answers:
        why = answer.rule_sets.get(rule_set, "is unknown there")
        if why is not None:
            raise RuleSetNotRun(service=answer.service, rule_set=rule_set, reason=why)


def _require_reached(after: Mapping[str, int], answers: Collection[ServiceAnswer]) -> None:
    """A position that a log has not reached would be waited for without end."""
    heads = {answer.service: answer.head for answer in answers}
    for service, position in sorted(after.items()):
        if service not in heads:
            raise AnnouncementRefused(field=f"after.{service}", why="is no service that starts")
        if not 0 <= position <= heads[service]:
            where = f"after.{service}"
            raise PositionAheadOfLog(field=where, position=position, head=heads[service])
