"""Persons, by the names that an issuer gives them."""

from __future__ import annotations

import unicodedata


def same_person(one: str, *others: str) -> bool:
    """True if one of the others is the same person.

    Issuers take a name however it is typed, so case, width and the spaces around it make no second
    person. Names in old events are compared here too, so it cannot be left to the door.
    """
    return folded_name(one) in map(folded_name, others)


def folded_name(name: str) -> str:
    """A name in the form in which two names of one person are equal.

    Normalized again at the end, since `casefold` may leave what NFKC would join.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
