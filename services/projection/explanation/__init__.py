"""Explanations of what a family got: pure functions from messages to steps; no decisions."""
