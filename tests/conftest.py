"""Fixtures that every test may ask for by name alone, and how long the tests are."""

pytest_plugins = ["tests.brokers", "tests.servers", "tests.tiers"]
