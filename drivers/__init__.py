"""Bytes on a cable <-> values in named units. Knows nothing above it."""
