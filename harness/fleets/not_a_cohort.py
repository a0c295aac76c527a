"""Why a scenario cannot run on the array engine."""

from __future__ import annotations


class NotACohort(Exception):
    """What only the exact engine can do, in words: `the check registry reads the server's records`."""
