"""Decisions of the registry: families and their facts, and the list of each tahap."""
