from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from typer.testing import CliRunner

from cli.main import app
from libs.privacy.errors import KeyLeaves, ModuleSilent, WrapBroken
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.rotation import Rewrapper, ensure_all_open, keys_under
from libs.privacy.security_module import ModuleAddress, SecurityModule
from libs.privacy.versions import KeyVersions
from libs.privacy.wrapping import Wrapper
from services.registry.main import SERVICE
from tests.doors import front_door, service_settings
from tests.integration.privacy.conftest import ROLES, AsRole
from tests.integration.registry.kit import family, handed_in
from tests.servers import Postgres
from tests.softhsm import needs_softhsm

pkcs11: Any = pytest.importorskip("pkcs11", reason="python-pkcs11 of the lock is not installed")
pytestmark = needs_softhsm

FIRST: Final = KeyVersions.of(bytes(range(32)))
NONCE: Final = bytes(12)
CARD: Final = "6103010101230001"


@pytest.fixture
def module(hsm: ModuleAddress) -> SecurityModule:
    return SecurityModule(hsm)


@pytest.fixture
def label(module: SecurityModule) -> str:
    """A key that was made in the token."""
    name = f"kek-{uuid4().hex[:8]}"
    assert module.make(name)
    return name


@pytest.fixture
async def registry(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.registry) as pool:
        yield pool


@pytest.fixture
async def eraser(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.eraser) as pool:
        yield pool


def ring(pool: Pool, kek: KeyVersions, module: SecurityModule | None = None) -> KeyRing:
    return KeyRing(pool, kek, module=module, ttl_s=0)


async def rewrap(registry: Pool, eraser: Pool, wrapper: Wrapper) -> None:
    rewrapper = Rewrapper(registry, eraser, wrapper)
    while await rewrapper.step():
        pass


async def test_keys_go_into_the_module_and_out_of_it_while_all_open(
    registry: Pool, eraser: Pool, module: SecurityModule, label: str
) -> None:
    families = [str(uuid4()) for _ in range(600)]
    keys = await ring(registry, FIRST).create(families)

    into = KeyVersions(2, FIRST.secrets, labels={2: label})
    await rewrap(registry, eraser, Wrapper(into, module))
    assert await keys_under(registry) == {2: 600}
    inside = KeyVersions(2, labels={2: label})
    assert await ring(registry, inside, module).fetch(families) == keys
    more = await ring(registry, inside, module).create([str(uuid4())])

    out = KeyVersions(3, {3: os.urandom(32)}, labels={2: label})
    await rewrap(registry, eraser, Wrapper(out, module))
    await ensure_all_open(registry, Wrapper(KeyVersions(3, out.secrets)))
    assert await ring(registry, KeyVersions(3, out.secrets)).fetch([*keys, *more]) == keys | more


def test_a_key_never_leaves_the_module(module: SecurityModule, label: str) -> None:
    key, of = module.key(label), pkcs11.Attribute

    assert key[of.NEVER_EXTRACTABLE]
    assert key[of.ALWAYS_SENSITIVE]
    with pytest.raises(pkcs11.AttributeSensitive):
        key[of.VALUE]


def test_a_key_that_could_be_read_out_is_refused(hsm: ModuleAddress) -> None:
    module = SecurityModule(hsm)
    module.reopen(writes=True)
    of = pkcs11.Attribute
    for label, stays in (
        ("leaves", {of.EXTRACTABLE: True, of.SENSITIVE: True}),
        ("open", {of.EXTRACTABLE: False, of.SENSITIVE: False}),
    ):
        module._session.generate_key(pkcs11.KeyType.AES, 256, label=label, template=stays)
        with pytest.raises(KeyLeaves, match=label):
            module.cipher(label)


def test_what_was_closed_for_one_family_opens_for_no_other(
    module: SecurityModule, label: str
) -> None:
    wrapper = Wrapper(KeyVersions(2, labels={2: label}), module)
    family, other = str(uuid4()), str(uuid4())
    wrapped = wrapper.wrap(family, 1, bytes(32))

    assert wrapper.unwrap(family, 1, wrapped) == bytes(32)
    for odd in (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), wrapped[:20], wrapped[:3]):
        with pytest.raises(WrapBroken):
            wrapper.unwrap(family, 1, odd)
    with pytest.raises(WrapBroken):
        wrapper.unwrap(other, 1, wrapped)


def test_a_lost_session_is_opened_again(module: SecurityModule, label: str) -> None:
    cipher = module.cipher(label)
    closed = cipher.encrypt(NONCE, b"key", b"family")

    pkcs11.lib(str(module._address.library)).reinitialize()

    assert cipher.decrypt(NONCE, closed, b"family") == b"key"
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, closed, b"another")


async def test_a_silent_module_makes_no_key_a_lost_one(
    registry: Pool, hsm: ModuleAddress, module: SecurityModule, label: str
) -> None:
    family = str(uuid4())
    keys = ring(registry, KeyVersions(2, labels={2: label}), module)
    await keys.create([family])

    away = hsm.library.parent / "gone.so"
    module._address = ModuleAddress(away, hsm.token, hsm.pin)
    pkcs11.lib(str(hsm.library)).reinitialize()
    with pytest.raises(ModuleSilent):
        await keys.fetch_each([family])

    module._address = hsm
    assert await keys.fetch_each([family])


@pytest.mark.parametrize(("token", "pin"), [("pkh", "0000"), ("another", "")])
def test_who_is_not_let_in_does_not_start(hsm: ModuleAddress, token: str, pin: str) -> None:
    with pytest.raises(ModuleSilent, match="lets nobody in"):
        SecurityModule(ModuleAddress(hsm.library, token, pin or hsm.pin))


def test_pkh_keys_makes_a_version_in_the_module(
    hsm: ModuleAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, pin = tmp_path / "kek", tmp_path / "pin"
    file.write_text(FIRST.written())
    pin.write_text(hsm.pin + "\n")

    def pkh(*words: str) -> str:
        done = CliRunner().invoke(app, ["keys", words[0], str(file), *words[1:]])
        assert done.exit_code == 0, done.output
        return done.output

    monkeypatch.setenv("PKH_PKCS11_LIBRARY", str(hsm.library))
    monkeypatch.setenv("PKH_PKCS11_TOKEN", hsm.token)
    monkeypatch.setenv("PKH_PKCS11_PIN_FILE", str(pin))

    assert "has made kek-of-2027" in pkh("add", "--label", "kek-of-2027")
    assert KeyVersions.read(file.read_text()) == KeyVersions(
        1, FIRST.secrets, None, {2: "kek-of-2027"}
    )
    pkh("use", "2")
    pkh("drop", "1")
    assert file.read_text() == "2 pkcs11:object=kek-of-2027\n"
    pkh("add")
    assert KeyVersions.read(file.read_text()).numbers == [2, 3]


async def test_a_register_closes_and_opens_by_the_module(
    postgres: Postgres, tmp_path: Path, hsm: ModuleAddress, label: str
) -> None:
    async with service_settings(postgres, tmp_path, "registry") as plain:
        settings = replace(plain, kek=KeyVersions(1, labels={1: label}), security_module=hsm)
        async with front_door(SERVICE, settings, tmp_path) as registry:
            await handed_in(registry, "families", family(CARD))
            shown = await registry.client.get("/keys", headers=registry.who("ana", "platform:read"))

    assert shown.json()["versions"][0] == {
        "secret": "kek", "version": 1, "state": "IN_USE", "left": 1
    }  # fmt: skip
