import pytest

from services.conditionality.domain.commitment import Event
from tests.unit.conditionality.kit import ended, history


@pytest.fixture
def terminated() -> tuple[Event, ...]:
    """A family whose third failure in a row was confirmed."""
    return ended("CONFIRMED", history("fails", "fails", "fails"))
