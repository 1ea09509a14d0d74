"""Keys in a security module (HSM), asked over PKCS#11: they close and open, and never leave it."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from cryptography.exceptions import InvalidTag

from libs.privacy.errors import KeyLeaves, ModuleSilent

CLIENT: Final = "pkcs11"
_BITS: Final = 256
_TAG_BITS: Final = 128
_NONCE_BYTES: Final = 12
_TRIES: Final = 2
_PROBE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class ModuleAddress:
    """Where keys stand: the vendor's PKCS#11 library, the label of its token, the user's PIN."""

    library: Path
    token: str
    pin: str = field(repr=False)


class SecurityModule:
    """A token and its keys, in one session, which is opened again where it was lost.

    One in a process, as its login and its library are the process's. Library and client are loaded
    here and nowhere else. Its calls block; threads take turns.
    """

    def __init__(self, address: ModuleAddress, client: str = CLIENT) -> None:
        """`client`: the name of a module like `pkcs11`. Raises `ModuleSilent` where it is not
        installed, where the token is not there, and where it refuses the PIN."""
        self._address, self.turn = address, threading.RLock()
        try:
            self.client: ModuleType = importlib.import_module(client)
        except ModuleNotFoundError:
            raise ModuleSilent("Install requirements-pkcs11.lock to ask a module") from None
        self._session: Any = None
        self._keys: dict[str, Any] = {}
        self.reopen()

    def cipher(self, label: str) -> ModuleCipher:
        """The work of the key of a label. Raises `ModuleSilent` where there is none or more than
        one, `KeyLeaves` for one that is not AES of 256 bits, or that could be read out."""
        cipher = ModuleCipher(self, label)
        key, of = self.key(label), self.client.Attribute
        kind = key[of.KEY_TYPE], key.key_length
        if kind != (self.client.KeyType.AES, _BITS) or key[of.EXTRACTABLE] or not key[of.SENSITIVE]:
            raise KeyLeaves(label=label)
        if not cipher.answers():
            raise ModuleSilent(f"The security module does not work with the key {label}")
        return cipher

    def make(self, label: str) -> bool:
        """Make a key of this label in the token; False where there is one already."""
        with self.turn:
            self.reopen(writes=True)
            with suppress(self.client.NoSuchKey):
                self._session.get_key(self.client.ObjectClass.SECRET_KEY, label=label)
                return False
            of = self.client.Attribute
            stays = {of.SENSITIVE: True, of.EXTRACTABLE: False, of.PRIVATE: True}
            aes = self.client.KeyType.AES
            self._session.generate_key(aes, _BITS, label=label, store=True, template=stays)
            return True

    def key(self, label: str) -> Any:
        """A key as the open session has it, by a name that says nothing."""
        if label not in self._keys:
            try:
                kind = self.client.ObjectClass.SECRET_KEY
                self._keys[label] = self._session.get_key(kind, label=label)
            except self.client.PKCS11Error:
                raise ModuleSilent(f"The security module has no single key {label}") from None
        return self._keys[label]

    def reopen(self, *, writes: bool = False) -> None:
        """Open a session in the place of the one before, from the library's start on."""
        with self.turn:
            try:
                library = self.client.lib(str(self._address.library))
                self._keys = {}
                library.reinitialize()  # what was lost with it, and who was logged in, is over
                token = library.get_token(token_label=self._address.token)
                self._session = token.open(rw=writes, user_pin=self._address.pin)
            except self.client.PKCS11Error as error:
                raise ModuleSilent(
                    f"The security module lets nobody in: {type(error).__name__}"
                ) from None


class ModuleCipher:
    """AES-256-GCM by a key of a security module."""

    def __init__(self, module: SecurityModule, label: str) -> None:
        self._module, self._label = module, label

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The closed text and its tag; `ModuleSilent`."""
        return self._tried(lambda key, by: key.encrypt(data, **by), nonce, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The clear text; `InvalidTag`, `ModuleSilent`."""
        return self._tried(lambda key, by: key.decrypt(data, **by), nonce, associated_data)

    def answers(self) -> bool:
        """True if the module closes and opens with this key."""
        nonce = os.urandom(_NONCE_BYTES)
        try:
            key, by = self._module.key(self._label), self._by(nonce, b"")
            return bytes(key.decrypt(key.encrypt(_PROBE, **by), **by)) == _PROBE
        except (self._module.client.PKCS11Error, ModuleSilent):
            return False

    def _tried(
        self, work: Callable[[Any, dict[str, Any]], Any], nonce: bytes, bound: bytes | None
    ) -> bytes:
        with self._module.turn:
            for _ in range(_TRIES):
                try:
                    return bytes(work(self._module.key(self._label), self._by(nonce, bound or b"")))
                except (self._module.client.PKCS11Error, ModuleSilent):
                    # Modules have no one error for a text that was changed: who does this and not
                    # that works, and the text is at fault.
                    if self.answers():
                        raise InvalidTag from None
                    self._module.reopen()
        raise ModuleSilent(f"The security module does not work with the key {self._label}")

    def _by(self, nonce: bytes, bound: bytes) -> dict[str, Any]:
        client = self._module.client
        parameters = client.GCMParams(nonce, bound, _TAG_BITS)
        return {"mechanism": client.Mechanism.AES_GCM, "mechanism_param": parameters}
