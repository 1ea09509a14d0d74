"""Decisions of payments: pure functions and the values they speak of."""
