"""Projection needs nothing beyond what every service is told."""

from libs.chassis.settings import Settings

SERVICE = "projection"


def settings() -> Settings:
    """The settings of this process's environment."""
    return Settings.from_environment(SERVICE)
