"""What the rules of the platform refuse; each interface has its own way to say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)  # no slots: exceptions are given a traceback
class Refused(Exception):
    """A rule that holds whoever asks: names, versions, conflicts, limits.

    `status` is an HTTP status, which each interface maps to its own codes; `error` is the platform's text on the wire,
    `reason` what the trace says: it names the mistake and what to do.
    """

    status: int
    error: str
    reason: str = ""

    def __str__(self) -> str:
        return self.reason or self.error


NO_TEXT = "N/A"
"""What an error body says when there is nothing to say."""


def error_code(status: int) -> str:
    """The text of a refusal to which the real server gives none."""
    return f"Error Code: {status}"
