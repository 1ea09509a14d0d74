"""What payments is told: the common settings, the keys, and where its partners answer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from libs.chassis.settings import Environment, SettingRefused, Settings, url

WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Partners:
    """Base addresses: the treasury, the banks (below /banks/{bank}), conditionality."""

    treasury: str
    banks: str
    conditionality: str


def settings() -> Settings:
    """The settings of this process's environment."""
    told = Settings.from_environment("payments")
    for name, given in (
        ("PKH_KEYS_URL", told.keys_url),
        ("PKH_KEK_FILE", told.kek),
        ("PKH_SERVICE_TOKEN_FILE", told.service_token_file),
    ):
        if not given:
            raise SettingRefused(f"{name} must be set.")
    return told


def partners(env: Environment = os.environ) -> Partners:
    """Where the partners answer; a platform without simulators or partners pays nobody."""
    return Partners(
        treasury=url(env, "PKH_TREASURY_URL", WEB, optional=True),
        banks=url(env, "PKH_BANK_URL", WEB, optional=True),
        conditionality=url(env, "PKH_CONDITIONALITY_URL", WEB),
    )
