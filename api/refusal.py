"""A no to the person at the terminal."""

from __future__ import annotations


class Refusal(Exception):
    """What cannot be done and what to do instead, in one sentence; the command ends with exit code 1."""
