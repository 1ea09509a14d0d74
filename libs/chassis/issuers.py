"""Identity providers whose tokens are believed, and what each of them may say.

A file describes them (PKH_ISSUERS_FILE, docs/operator.md). It is checked whole before a service
starts: whatever it does not say exactly would be a door that nobody meant to open.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from msgspec import Meta, field

from libs.policy.files import PolicyError, Shape, Text, read

EVERY: Final = "*"
HTTPS: Final = "https://"

Algorithm: TypeAlias = Literal["ES256", "EdDSA", "RS256", "PS256"]
Type: TypeAlias = Literal["at+jwt", "JWT"]
ClaimPath: TypeAlias = Annotated[str, Meta(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
"""A claim by its name; dots lead into it, as in realm_access.roles."""
RegionCode: TypeAlias = Annotated[
    str, Meta(pattern=r"^(\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?)$")
]


class Claims(Shape):
    """The claims that say who a token is about, and what they may do where, by scopes or a role.

    `person` must be for good, alone and once: whoever leaves must not leave a name to another.
    """

    person: ClaimPath = "sub"
    scopes: ClaimPath = "scope"
    regions: ClaimPath = "regions"
    role: ClaimPath = "role"


class MaySay(Shape):
    """The most that an issuer may say of anybody; "*" is every scope, or the nation."""

    scopes: Annotated[tuple[Text, ...], Meta(min_length=1)]
    regions: Annotated[tuple[RegionCode, ...], Meta(min_length=1)]


class Strong(Shape):
    """The scopes that a token has only after a strong sign-in of its person.

    Its `acr` must be one of these values, and where `age_s` is said its `auth_time` no longer ago
    than so many seconds. Whatever the token says else, without that it has none of these scopes.
    """

    scopes: Annotated[tuple[Text, ...], Meta(min_length=1)]
    acr: Annotated[tuple[Text, ...], Meta(min_length=1)]
    age_s: Annotated[int, Meta(ge=60, le=86_400)] | None = None


class TrustedIssuer(Shape):
    """One identity provider.

    `issuer` and `audience` are what its tokens say; `keys` is its key set, at an https address or
    in a file; `ca_file` has the only CAs that are believed there, in place of the public ones.
    `marks` are claims with the value that an access token has in them, `strong` names scopes that
    count by a strong sign-in alone. `prefix` stands before the
    names of its people, so that two issuers name nobody alike. `keys_age_s` is how long its keys
    are believed while it does not answer; a key that it withdrew is believed no longer either.
    """

    issuer: Text
    audience: Text
    keys: Annotated[str, Meta(pattern=r"^(https://[^\s@?#]+|/[^\s]*)$")]
    may_say: MaySay
    ca_file: Annotated[str, Meta(pattern="^/")] | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("ES256", "EdDSA")
    types: Annotated[tuple[Type, ...], Meta(min_length=1)] = ("at+jwt",)
    marks: Mapping[ClaimPath, str] = {}
    claims: Claims = field(default_factory=Claims)
    prefix: Annotated[str, Meta(pattern="^([a-z0-9-]+:)?$")] = ""
    keys_age_s: Annotated[int, Meta(ge=60, le=86_400)] = 900
    strong: Strong | None = None

    @classmethod
    def of_this_machine(cls, issuer: str, audience: str, keys: Path) -> Self:
        """The platform's own issuer, which may say everything."""
        return cls(issuer, audience, str(keys.absolute()), MaySay((EVERY,), (EVERY,)))

    def tls(self) -> ssl.SSLContext | bool:
        """The certificates that its address is believed by; True are those of the public."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True


class _File(Shape):
    issuers: Annotated[tuple[TrustedIssuer, ...], Meta(min_length=1)]


def read_issuers(file: Path) -> Sequence[TrustedIssuer]:
    """The issuers of a file; raises `PolicyError` with its first mistake and where it stands."""
    issuers = read(file, _File).issuers
    for number, issuer in enumerate(issuers):
        for key, why in _mistakes(issuer, issuers[:number]):
            raise PolicyError(file.name, f"issuers[{number}].{key}", why)
    return issuers


def _mistakes(issuer: TrustedIssuer, earlier: Sequence[TrustedIssuer]) -> Iterator[tuple[str, str]]:
    if issuer.issuer in {one.issuer for one in earlier}:
        yield "issuer", "is described above already"
    if issuer.prefix in {one.prefix for one in earlier}:
        yield "prefix", "is another issuer's: two people could have one name"
    if "JWT" in issuer.types and not issuer.marks:
        yield "marks", "must name what only an access token says: an identity token is a JWT too"
    for scope in issuer.strong.scopes if issuer.strong else ():
        if scope not in issuer.may_say.scopes and EVERY not in issuer.may_say.scopes:
            yield "strong.scopes", f"names {scope}, which it may not say"
    if not issuer.keys.startswith(HTTPS) and not Path(issuer.keys).is_file():
        yield "keys", "is neither an https address nor a file that exists"
    try:
        issuer.tls()
    except (OSError, ValueError):
        yield "ca_file", "is no file of certificates"
