"""Families that a list would pay on one account, or by one person, found before their lines.

Who may share is known by tokens; who does is decided on the families as of the list's cut, each
looked at once a list, so that every chunk, and the same list made again, gives the same answer. An
account from before there were tokens is opened at this edge for its token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import UnknownEvent
from libs.events.store.transaction import Transaction
from libs.privacy.errors import KeyDestroyed, PrivacyError
from libs.privacy.keys import KeyRing
from libs.privacy.recognition import Recognition
from libs.privacy.sealing import Sealer
from services.registry.contract import FAMILY
from services.registry.domain.family.errors import PayeeShared
from services.registry.domain.family.lines import paid_by
from services.registry.domain.family.reopening import paid_when_reopened
from services.registry.domain.family.state import Family, Payee
from services.registry.domain.listing.state import Listing
from services.registry.policy import RuleSets
from services.registry.tables import payees
from services.registry.tables.payees import NOBODY, Shared, Tokens
from services.registry.tables.person_claims import persons_of

CHUNK_FAMILIES: Final = 1_000


@dataclass(frozen=True, slots=True)
class SharedPayees:
    """Knows accounts and payees of families by their tokens."""

    keys: KeyRing
    recognition: Recognition
    rule_sets: RuleSets

    async def among(
        self, unit: Transaction, listing: Listing, families: Sequence[str]
    ) -> dict[str, Shared]:
        """{family: reason} of those of some families that share with another one of the list."""
        closing = self.rule_sets.closing(listing)
        while others := await payees.may_share(unit, listing.tahap, families, CHUNK_FAMILIES):
            states = await _states(unit, others, listing.cut)
            persons = await persons_of(unit, states, listing.cut)
            paid = {
                family: payee
                for family, state in states.items()
                if (payee := paid_by(closing, state, persons[family])) is not None
            }
            tokens = await self._tokens({family: [payee] for family, payee in paid.items()})
            # Who cannot be read, or opened, is withheld for that, and shares with nobody.
            found = {family: tokens.get(family, [NOBODY])[0] for family in others}
            await payees.keep_looked_at(unit, listing.tahap, found)
        return await payees.sharing(unit, listing.tahap, families)

    async def ensure_unshared(self, unit: Transaction, listing: Listing, state: Family) -> None:
        """A family is re-opened beside the list only where it shares with nobody who is on it, or
        was re-opened before. Raises `PayeeShared`."""
        payee = paid_when_reopened(self.rule_sets.closing(listing), state)
        if payee is None:
            return
        for family, [tokens] in (await self._tokens({state.family: [payee]})).items():
            await payees.keep_looked_at(unit, listing.tahap, {family: tokens})
            if reason := (await self.among(unit, listing, [family])).get(family):
                raise PayeeShared(tahap=listing.tahap, reason=reason)

    async def complete(self, unit: Transaction, after: str) -> str | None:
        """Give the next families behind one their accounts' tokens; answers the last one of them,
        None where there was none. Who cannot be read or opened stays without."""
        families = await payees.accounts_unknown(unit, after, CHUNK_FAMILIES)
        if not families:
            return None
        await unit.hold([f"family-{family}" for family in families])
        payees_of = {
            family: [state.payee, *(paid.payee for paid in state.payees)]
            for family, state in (await _states(unit, families)).items()
        }
        await payees.replace_payees(unit, await self._tokens(payees_of))
        return families[-1]

    async def _tokens(self, payees_of: Mapping[str, Sequence[Payee]]) -> dict[str, list[Tokens]]:
        """The tokens of families' payees, without the families whose accounts cannot be opened."""
        closed = [
            family
            for family, theirs in payees_of.items()
            if not all(payee.account_token for payee in theirs)
        ]
        sealer = Sealer(await self.keys.fetch_each(closed))
        found: dict[str, list[Tokens]] = {}
        for family, theirs in payees_of.items():
            try:
                found[family] = [
                    Tokens(p.token, await self._account(sealer, family, p)) for p in theirs
                ]
            except KeyDestroyed:
                found[family] = [Tokens(p.token, p.account_token) for p in theirs]
            except PrivacyError:
                continue
        return found

    async def _account(self, sealer: Sealer, family: str, payee: Payee) -> str:
        if payee.account_token or not payee.account_no:
            return payee.account_token
        number = sealer.unseal(family, "account_no", payee.account_no)
        try:
            pseudonymizer = await self.recognition.of(accounts=[(payee.bank, number)])
            return pseudonymizer.account(payee.bank, number) if number else ""
        except ValueError:  # from before an account was digits alone
            return self.recognition.fingerprint(payee.bank, number)


async def _states(
    unit: Transaction, families: Sequence[str], cut: int | None = None
) -> dict[str, Family]:
    """The families of these that can be read, as they were at a cut."""
    states: dict[str, Family] = {}

    async def read(some: Sequence[str]) -> None:
        loaded = await unit.load(FAMILY, [f"family-{family}" for family in some], cut)
        states.update({s.removeprefix("family-"): found.at_cut for s, found in loaded.items()})

    await by_halves(unit, families, read, collected=(UnknownEvent,))
    return states
