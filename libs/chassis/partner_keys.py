"""Signatures between us and our partners: a detached JWS by a key of a dated register.

Signed is the hash of a body, written as its header Content-Digest (RFC 9530), so that a file of any
length can be sent while it is rendered. The register holds the public keys of everybody, ours too;
which of them count at a moment is said by their days, both included.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from libs.chassis.forms import day, is_day
from libs.events.domain.errors import CorridorError

HEADER: Final = "X-JWS-Signature"
US: Final = "PKH"
"""The name under which the register has the programme's own keys."""

ALGORITHM: Final = {"Ed25519": "Ed25519", "P-256": "ES256"}
"""By curve of the key, the one algorithm that it signs with."""

PARTNER: Final = re.compile(r"[A-Z]{1,20}")
KID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
SIGNATURE_CHARACTERS_MAX: Final = 1_000

AnyKey: TypeAlias = OKPKey | ECKey
Clock: TypeAlias = Callable[[], datetime]


class KeysRefused(CorridorError):
    """A register of keys is not as it must be; names the entry and what is wrong with it."""


class NoSigningKey(CorridorError):
    """None of our own keys is valid today, so nothing can be signed."""


@dataclass(frozen=True, slots=True)
class DatedKey:
    """A key of the register: whose it is, and the days on which it counts."""

    partner: str
    kid: str
    valid_from: date
    valid_to: date | None
    algorithm: str
    key: AnyKey

    def counts_on(self, today: date) -> bool:
        """True on its days, both included."""
        return self.valid_from <= today and (self.valid_to is None or today <= self.valid_to)


def _today() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PartnerKeys:
    """The register by key id, and our own private keys."""

    register: Mapping[str, DatedKey]
    own: Mapping[str, DatedKey]
    clock: Clock = _today

    @classmethod
    def read(cls, register: Path, own: Path, clock: Clock = _today) -> Self:
        """Both files, each a JWK set whose keys have `partner`, `valid_from` and `valid_to`.

        Raises `KeysRefused` with the first mistake: an own key must stand in the register too.
        """
        public, private = _read(register, private=False), _read(own, private=True)
        for kid, key in private.items():
            listed = public.get(kid)
            if key.partner != US or listed is None or _point(listed.key) != _point(key.key):
                raise KeysRefused(kid=kid, why=f"is no key of {US} in the register")
        keys = cls(public, private, clock)
        keys.signing_key()
        return keys

    def signing_key(self) -> DatedKey:
        """Our own key that began to count last. Raises `NoSigningKey`."""
        today = self.clock().date()
        # The register is what partners go by, so its days are the key's.
        valid = [key for kid, key in self.own.items() if self.register[kid].counts_on(today)]
        if not valid:
            raise NoSigningKey(day=today)
        return max(valid, key=lambda key: (key.valid_from, key.kid))

    def last_days(self) -> Mapping[str, date]:
        """By partner, US among them, the last day on which a key of theirs counts; whoever has a
        key without an end is left out."""
        ends: dict[str, list[date | None]] = {}
        for kid, key in self.register.items():
            if key.partner != US or kid in self.own:
                ends.setdefault(key.partner, []).append(key.valid_to)
        return {
            partner: max(day for day in days if day is not None)
            for partner, days in ends.items()
            if None not in days
        }

    def sign(self, digest: str) -> str:
        """The detached JWS over a body's Content-Digest."""
        key = self.signing_key()
        header = {"alg": key.algorithm, "kid": key.kid}
        whole = jws.serialize_compact(header, digest, key.key, algorithms=[key.algorithm])
        protected, _, signature = whole.split(".")
        return f"{protected}..{signature}"

    def fault(self, partner: str, digest: str, signature: str | None) -> str | None:
        """The reason why a signature is not this partner's over a body; None where it is."""
        if not signature:
            return "it is not signed"
        if (kid := _kid(signature)) is None:
            return "its signature is malformed"
        key = self.register.get(kid)
        if key is None:
            return "its key is unknown"
        if key.partner != partner:
            return "its key is another partner's"
        if not key.counts_on(self.clock().date()):
            return "its key is not valid today"
        try:
            jws.deserialize_compact(signature, key.key, [key.algorithm], payload=digest)
        except (JoseError, ValueError, TypeError):
            return "its signature is not over it"
        return None


def _kid(signature: str) -> str | None:
    """The key id that a detached JWS names; None where it is none."""
    protected, _, rest = signature.partition("..")
    if len(signature) > SIGNATURE_CHARACTERS_MAX or not rest:
        return None
    try:
        header = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None


# -- Reading --------------------------------------------------------------------------------------


def _read(path: Path, *, private: bool) -> dict[str, DatedKey]:
    try:
        entries = json.loads(path.read_text("utf-8"))["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        raise KeysRefused(file=path.name, why="is no JWK set") from None
    if not isinstance(entries, list) or not entries:
        raise KeysRefused(file=path.name, why="holds no keys")
    found: dict[str, DatedKey] = {}
    for number, entry in enumerate(entries, start=1):
        for why in _mistakes(entry, private):
            raise KeysRefused(file=path.name, key=number, why=why)
        key = _dated(entry, path.name, number)
        if key.kid in found:
            raise KeysRefused(file=path.name, key=number, why="has the kid of an earlier key")
        found[key.kid] = key
    return found


def _mistakes(entry: Any, private: bool) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "is no object"
        return
    if not PARTNER.fullmatch(str(entry.get("partner", ""))):
        yield "names no partner, such as TREASURY, BNI or PKH"
    if not KID.fullmatch(str(entry.get("kid", ""))):
        yield "has no kid of 1 to 64 letters, digits, dots, dashes"
    if entry.get("crv") not in ALGORITHM:
        yield f"is of no curve among {', '.join(ALGORITHM)}"
    if ("d" in entry) is not private:
        yield "has no private part" if private else "has a private part, which nobody else may have"
    if _day(entry.get("valid_from")) is None:
        yield "has no day as its valid_from"
    elif entry.get("valid_to") is not None:
        last = _day(entry["valid_to"])
        if last is None or last < day(entry["valid_from"]):
            yield "has a valid_to that is no day from its valid_from on"


def _dated(entry: Mapping[str, Any], file: str, number: int) -> DatedKey:
    kind: type[AnyKey] = OKPKey if entry["crv"] == "Ed25519" else ECKey
    parts = {name: entry[name] for name in ("kty", "crv", "x", "y", "d") if name in entry}
    try:
        key = kind.import_key(parts)
        _point(key)
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeysRefused(file=file, key=number, why="is no such key") from None
    first, last = _day(entry["valid_from"]), _day(entry.get("valid_to"))
    return DatedKey(
        entry["partner"], entry["kid"], first or date.min, last, ALGORITHM[entry["crv"]], key
    )


def _day(value: Any) -> date | None:
    return day(value) if isinstance(value, str) and is_day(value) else None


def _point(key: AnyKey) -> Mapping[str, Any]:
    """The public part of a key, which is the key itself to everybody else."""
    public = key.as_dict(private=False)
    return {name: public[name] for name in ("kty", "crv", "x", "y") if name in public}
