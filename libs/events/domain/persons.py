"""Persons, by the names that an issuer gives them."""

from __future__ import annotations

import unicodedata


def same_person(one: str, *others: str) -> bool:
    """True if one of the others is the same person.

    Issuers take a name however it is typed, so case, width and the room around it make no second
    person. What the door refuses today may stand in an event of yesterday.
    """
    return folded(one) in map(folded, others)


def folded(name: str) -> str:
    """A name in the form in which two names of one person are equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
