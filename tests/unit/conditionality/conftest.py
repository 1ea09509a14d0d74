import pytest

from services.conditionality.domain.commitment import DecideInvestigation, Event
from tests.unit.conditionality.kit import FAMILY, decided, history


@pytest.fixture
def terminated() -> tuple[Event, ...]:
    """A family whose third failure in a row was confirmed."""
    failed = history("fails", "fails", "fails")
    confirmed = DecideInvestigation(FAMILY, "2023-3", "CONFIRMED", "officer-1", "supervisor-1")
    return (*failed, *decided(confirmed, after=failed))
