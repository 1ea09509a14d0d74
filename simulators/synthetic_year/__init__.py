"""A year of invented families, of any size: drawn group by group from a seed, streamed to files."""
