"""Settings of the registry: the common ones, the keys' database and both secret keys."""

from __future__ import annotations

from typing import Final

from libs.chassis.settings import SettingRefused, Settings

SERVICE: Final = "registry"


def settings() -> Settings:
    """The settings of this process's environment."""
    told = Settings.from_environment(SERVICE)
    for name, given in (
        ("PKH_KEYS_URL", told.keys_url),
        ("PKH_KEK_FILE", told.kek),
        ("PKH_TOKEN_KEY_FILE", told.token_key),
    ):
        if not given:
            raise SettingRefused(f"{name} must be set.")
    return told
