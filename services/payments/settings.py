"""Settings of payments: the common ones, the keys, and where its partners answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from libs.chassis.settings import Environment, SettingRefused, Settings, url
from services.payments.contract import ANNOUNCED_TO

WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Partners:
    """Base addresses: treasury, banks (below /banks/{bank}), the services that are asked."""

    treasury: str
    banks: str
    services: Mapping[str, str]


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
        services={name: url(env, f"PKH_{name.upper()}_URL", WEB) for name in ANNOUNCED_TO},
    )
