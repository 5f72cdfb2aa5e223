"""Noise without a state: a seed and a number give the figure, so a restored simulator goes on with the same one."""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF
_SCALE = 1.7320508 / 65535
"""Four pieces of 16 bits, each of variance 1/12: root of three brings their sum to a standard deviation of 1."""


def noise(seed: int, number: int) -> float:
    """Mean 0, standard deviation 1, nearly Gaussian (the sum of the four 16-bit pieces of splitmix64), within ±3.5."""
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    mixed ^= mixed >> 31
    total = (mixed & 0xFFFF) + (mixed >> 16 & 0xFFFF) + (mixed >> 32 & 0xFFFF) + (mixed >> 48)
    return (total - 131070) * _SCALE
