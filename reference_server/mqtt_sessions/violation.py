"""Why the server ends a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`code`: what an MQTT 5 client is told in a DISCONNECT, or a CONNECT is refused with; 0: the connection just ends.

    `reason` is for the trace.
    """

    code: int
    reason: str
    is_silent: bool = False
    """A CONNECT that is refused so gets no CONNACK."""
