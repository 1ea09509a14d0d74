"""Names, contacts and words of people: what may stand in them, and how they are sealed.

Each case has a key, made when the case is received and destroyed when it is erased. From
it follows the PIN of the receipt, so that no database holds one.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from libs.chassis.middleware import resource
from libs.events.domain.errors import DomainError
from libs.privacy.errors import KeyDestroyed
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import FamilyKey, Sealer
from services.complaints.domain.case import Case
from services.complaints.domain.erasing import CaseIsErased
from services.complaints.domain.handling import Statement
from services.complaints.policy import Handling

PIN_DIGITS: Final = 6
_PIN: Final = b"pin"
_NOBODY: Final = FamilyKey("", 1, {1: b"\0" * 32})
"""Whoever asks by a number that nobody has is compared with a PIN all the same."""
NOBODYS: Final = "00000000-0000-4000-8000-000000000000"
"""No case, with a key like one: it is unwrapped for whoever asks by a number that nobody has."""
_ALLOWED_CONTROLS: Final = "\n\t"


class WordsTooLong(DomainError):
    """The text has more characters than are taken."""


class WordsUnfit(DomainError):
    """The text holds markup or control characters."""


def ensure_words(figures: Handling, *texts: str) -> None:
    """Refuse texts that are too long, and what a screen or a spreadsheet would take for its own."""
    for text in texts:
        if len(text) > figures.words:
            raise WordsTooLong(characters_max=figures.words)
        if "<" in text or ">" in text:
            raise WordsUnfit(holds="markup")
        if any(_is_control(character) for character in text):
            raise WordsUnfit(holds="control characters")


def _is_control(character: str) -> bool:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")
    return hidden and character not in _ALLOWED_CONTROLS


@dataclass(frozen=True, slots=True)
class CaseKeys:
    """The keys of cases; `fresh` are the same, never remembered."""

    keys: KeyRing
    fresh: KeyRing

    @classmethod
    def of(cls, keys: KeyRing) -> CaseKeys:
        """Those of a key ring."""
        return cls(keys, keys.unremembered())

    async def made(self, case: str) -> FamilyKey:
        """The key of a case, made where it has none. Raises `CaseIsErased`."""
        try:
            return (await self.keys.create([case]))[case]
        except KeyDestroyed:
            raise CaseIsErased(case=case) from None

    async def made_each(self, cases: Iterable[str]) -> dict[str, FamilyKey]:
        """The keys of cases, made where there were none; one that is destroyed has no secrets."""
        wanted = list(cases)
        await self.keys.make(wanted)
        return await self.keys.fetch_each(wanted)

    async def sealed(self, case: str, words: str) -> str:
        """Words as they are stored, "" where there are none. Raises `CaseIsErased`."""
        return seal(await self.made(case), "words", words) if words else ""

    async def opened(self, case: str, state: Case) -> Sealer | None:
        """Whatever opens the words of a case; None where they are erased or there are none."""
        if state.erasure.done:  # its key is destroyed a moment later
            return None
        found = await self.keys.fetch_each([case])
        return Sealer(found) if case in found and found[case].secrets else None

    async def is_pin(self, case: str | None, pin: str) -> bool:
        """True where this is the PIN of a case that is there, with the same work for every number.

        Whoever asks by a number that nobody has, which is of no case, has a key unwrapped too: in
        a security module that takes longer than all the rest.
        """
        asked = case or NOBODYS
        found = await self.fresh.fetch_each([asked])
        if case is None and not found:
            await self.keys.make([NOBODYS])  # the first who ever asks by such a number
        key = found.get(asked)
        there = key is not None and bool(key.secrets)
        expected = pin_of(key if key is not None and there else _NOBODY)
        return hmac.compare_digest(expected, pin) and there and case is not None


CaseKeysOf = Annotated[CaseKeys, resource("case_keys")]


def pin_of(key: FamilyKey) -> str:
    """The PIN of the case that has this key."""
    digest = hmac.digest(key.secrets[1], _PIN, "sha256")
    return f"{int.from_bytes(digest[:8], 'big') % 10**PIN_DIGITS:0{PIN_DIGITS}}"


def seal(key: FamilyKey, name: str, clear: str) -> str:
    """One field of a case, sealed; nothing stays nothing."""
    return Sealer({key.family: key}).seal(key.family, name, clear) if clear else ""


def sealed_statement(
    key: FamilyKey, *, confidential: bool, name: str, contact: str, words: str, about: str
) -> Statement:
    """A reporter's statement as it is stored."""
    return Statement(
        confidential,
        seal(key, "name", name),
        seal(key, "contact", contact),
        seal(key, "words", words),
        about,
    )
