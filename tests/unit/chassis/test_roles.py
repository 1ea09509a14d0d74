"""A role in a token: its scopes by the file, within its regions, and nothing beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.chassis.auth import authenticator
from libs.chassis.dev_issuer import Issuer
from libs.chassis.issuers import MaySay, TrustedIssuer
from libs.chassis.tokens import TokenRefused
from libs.policy.roles import roles
from tests.unit.chassis.service import settings_for


async def granted(
    directory: Path,
    role: Any,
    regions: Sequence[str],
    *,
    scopes: Sequence[str] = (),
    may_say: tuple[str, ...] = ("*",),
) -> frozenset[str]:
    """The scopes that a service believes of a token."""
    issuer = Issuer.open(directory)
    [own] = Issuer.trusted_in(directory)
    trusted: TrustedIssuer = msgspec.structs.replace(own, may_say=MaySay(may_say, ("*",)))
    token = issuer.token("officer-7", scopes, regions, role=role)
    principal = await authenticator(settings_for(directory, issuers=(trusted,)))(token)
    assert principal.regions == tuple(regions)
    return principal.scopes


async def test_a_role_has_the_scopes_of_its_file(tmp_path: Path) -> None:
    for name, regions in (("nation", ["*"]), ("province", ["61"]), ("regency", ["61.03"])):
        assert await granted(tmp_path, name, regions) == {*roles()[name].scopes}
    assert await granted(tmp_path, "bank", []) == frozenset()


async def test_scopes_that_a_token_names_leave_these_of_its_role_alone(tmp_path: Path) -> None:
    named = ["openid", "registry:read", "payments:announce"]

    assert await granted(tmp_path, "regency", ["61.03"], scopes=named) == {"registry:read"}
    assert await granted(tmp_path, "regency", ["61.03"], scopes=["openid"]) == {
        *roles()["regency"].scopes
    }


async def test_a_role_among_those_of_a_provider_is_found(tmp_path: Path) -> None:
    found = await granted(tmp_path, ["offline_access", "district"], ["61.03.01"])

    assert found == {*roles()["district"].scopes}


@pytest.mark.parametrize(
    ("role", "regions", "why"),
    [
        ("minister", ["61"], "role"),
        (["nation", "province"], ["61"], "role"),
        ([], ["61"], "role"),
        (7, ["61"], "malformed"),
        ("province", ["*"], "regions-beyond-role"),
        ("regency", ["61.03", "61"], "regions-beyond-role"),
        ("district", ["61.03"], "regions-beyond-role"),
        ("facilitator", ["61.03"], "regions-beyond-role"),
    ],
    ids=str,
)
async def test_a_role_that_nobody_knows_or_that_is_too_wide_is_no_token(
    tmp_path: Path, role: object, regions: Sequence[str], why: str
) -> None:
    with pytest.raises(TokenRefused, match=f"^{why}$"):
        await granted(tmp_path, role, regions)


async def test_a_role_gives_no_scope_beyond_what_its_issuer_may_say(tmp_path: Path) -> None:
    with pytest.raises(TokenRefused, match="scope-beyond-issuer"):
        await granted(tmp_path, "province", ["61"], may_say=("payments:read",))


async def test_narrower_regions_than_a_roles_are_its_own(tmp_path: Path) -> None:
    assert "registry:approve" in await granted(tmp_path, "province", ["61.03.01.2026"])
    assert await granted(tmp_path, "facilitator", []) == {*roles()["facilitator"].scopes}
