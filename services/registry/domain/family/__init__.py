"""A candidate or beneficiary family: one stream `family-{uuid}`, its dated facts and its lines."""

from services.registry.domain.family.folding import evolve
from services.registry.domain.family.rules import decide, family

__all__ = ["decide", "evolve", "family"]
