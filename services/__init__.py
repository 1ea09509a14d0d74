"""The independent services; none imports another."""
