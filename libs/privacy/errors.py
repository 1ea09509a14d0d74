"""Errors of tokens, keys and sealed values, each as a sentence.

    CorridorError
    └── PrivacyError
        ├── KeyRetired      the version in use of a key's file is out of use for good
        ├── KeyNeeded       something is still under a version that a key's file lacks
        ├── KeyMistaken     a key's file has another secret than that of what is stored
        ├── KeyMissing      no key was ever made for the family
        ├── KeyDestroyed    the family was erased; nothing brings its values back
        ├── NotSealed       the text is no sealed value of a layout that is known here
        ├── SealBroken      wrong key, family or field, or somebody changed the value
        ├── KeyLeaves       a key of a security module could be read out of it
        └── WrapBroken      the key-encryption key does not open a stored key
    ConnectionError
    └── ModuleSilent        the security module does not answer, or has no such key

Facts are random ids, field names, versions and counts. A clear value, a sealed value or a key is
never among them, because errors end in logs.
"""

from __future__ import annotations

from libs.events.domain.errors import CorridorError


class PrivacyError(CorridorError):
    """A person's data stay closed."""


class KeyMissing(PrivacyError):
    """No key was ever made for this family."""


class KeyDestroyed(PrivacyError):
    """This family's key was destroyed; what it sealed cannot be read again."""


class NotSealed(PrivacyError):
    """This text is not a sealed value."""


class SealBroken(PrivacyError):
    """A sealed value does not open with this key, family and field."""


class WrapBroken(PrivacyError):
    """A stored key does not open with this key-encryption key."""


class KeyLeaves(PrivacyError):
    """A key of the security module is of another kind, or may leave it."""


class ModuleSilent(ConnectionError):
    """The security module does not do what it is asked; tried again, as a lost database is.

    No `PrivacyError`: what it cannot open now is not lost, and nobody is left out for it.
    """


class KeyRetired(PrivacyError):
    """The version of a key that its file has in use is retired."""


class KeyNeeded(PrivacyError):
    """Something is still under a version of a key that its file lacks."""


class KeyMistaken(PrivacyError):
    """Nothing that was tried opens: the key's file has another secret under this version."""
