"""Settings of conditionality: the common ones, and that it must have the token key."""

from __future__ import annotations

from libs.chassis.settings import SettingRefused, Settings
from services.conditionality.contract import SERVICE


def settings() -> Settings:
    """The settings of this environment; people are matched by token, so that key is due."""
    told = Settings.from_environment(SERVICE)
    if told.token_key is None:
        raise SettingRefused("PKH_TOKEN_KEY_FILE must be set.")
    return told
